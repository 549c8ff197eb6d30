/** The upper canvas: the crosshair. */

import { exact } from "../ui/format.js";
import { colors } from "../ui/theme.js";
import { box, drawStub, HEIGHT } from "./live.js";
import { rule, tag, upright } from "./shapes.js";

/**
 * At bar `i`, which was at `time`, and at `y` pixels, or, where that is null, at the bar's last price;
 * `tags` is what stands on the axis already, see `drawLive`.
 */
export function drawPointer(context, g, data, { i, y, time, tags }) {
  context.font = data.bold;
  context.textBaseline = "middle";
  const x = Math.min(g.x(i), g.right - 1);
  const close = data.bars.close[i];
  const price = y === null ? close : snapped(g.price(y), data.tick);
  upright(context, x, 0, g.bottom, colors.muted, [3, 3]);
  const look = { fill: colors.ink, ink: colors.panel };
  if (Number.isFinite(price) && (y === null || y < g.priceBottom + 4)) {
    const at = g.y(price);
    rule(context, at, 0, g.right, colors.muted, [3, 3]);
    const beside = besideLast(at, tags.last, g.bottom);
    for (const line of tags.lines) if (Math.abs(line.at - beside) < HEIGHT) giveWay(context, g, line);
    tag(context, box(g, beside), exact(price, data.digits), look);
  }
  const width = context.measureText(time).width + 14;
  const left = Math.min(Math.max(0, x - width / 2), g.right - width);
  tag(context, { x: left, y: g.bottom + 2, width, height: 18 }, time, { ...look, align: "center" });
}

/** On the nearest step of the price. */
export const snapped = (price, tick) => (tick > 0 ? Math.round(price / tick) * tick : price);

/** The last price keeps its place: the crosshair's tag goes above or below it. */
function besideLast(at, last, bottom) {
  const half = HEIGHT / 2;
  if (!last || at + half <= last[0] || at - half >= last[1]) return at;
  const middle = (last[0] + last[1]) / 2;
  const isAbove = last[0] >= HEIGHT && (at < middle || last[1] + HEIGHT > bottom);
  return isAbove ? last[0] - half : last[1] + half;
}

/** A line's tag gives way to the crosshair's: a small tick is left of it. */
function giveWay(context, g, line) {
  const { x, y, width, height } = box(g, line.at);
  context.fillStyle = colors.panel;
  context.fillRect(x - 1, y - 1, width + 3, height + 2);
  drawStub(context, g, line);
}
