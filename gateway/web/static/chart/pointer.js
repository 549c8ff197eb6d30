/** The upper canvas: the crosshair. */

import { exact } from "../ui/format.js";
import { colors } from "../ui/theme.js";
import { box } from "./live.js";
import { rule, tag, upright } from "./shapes.js";

/** At bar `i`, and at `y` pixels, or, where it is null, at the bar's last price. */
export function drawPointer(context, g, data, i, y, time) {
  context.font = data.bold;
  context.textBaseline = "middle";
  const x = Math.min(g.x(i), g.right - 1);
  const close = data.bars.close[i];
  const price = y === null ? close : snapped(g.price(y), data.tick);
  upright(context, x, 0, g.bottom, colors.muted, [3, 3]);
  const look = { fill: colors.ink, ink: colors.panel };
  if (Number.isFinite(price) && (y === null || y < g.priceBottom + 4)) {
    rule(context, g.y(price), 0, g.right, colors.muted, [3, 3]);
    tag(context, box(g, g.y(price)), exact(price, data.digits), look);
  }
  const width = context.measureText(time).width + 14;
  const left = Math.min(Math.max(0, x - width / 2), g.right - width);
  tag(context, { x: left, y: g.bottom + 2, width, height: 18 }, time, { ...look, align: "center" });
}

/** On the nearest step of the price. */
const snapped = (price, tick) => (tick > 0 ? Math.round(price / tick) * tick : price);
