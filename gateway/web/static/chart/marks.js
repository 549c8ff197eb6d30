/** What stands over the bars: the names of nights and trials, changes of contract, and what is ahead. */

import { t } from "../ui/i18n.js";
import { colors } from "../ui/theme.js";
import { haloed, upright } from "./shapes.js";

const FIRST = 12, SECOND = 28; // pixels from the top: names of bands, and of contracts below them
const NAMED = 60; // pixels that a band's name takes
const LINE = 16; // pixels from one line of a text to the next

/** Draw all of them; `context.font` is that of `data` again afterwards. */
export function drawMarks(context, g, data) {
  context.font = data.bold;
  context.textAlign = "left";
  drawNames(context, g, g.nights, t("hours.night"));
  drawNames(context, g, g.trialBands, t("label.trial"));
  for (const change of data.changes) drawChange(context, g, data, change);
  if (data.ahead && g.last === data.bars.length - 1) {
    AHEAD[data.ahead.kind](context, g, data, Math.min(g.right, g.left(g.last) + g.pitch));
  }
  context.font = data.font;
}

function drawNames(context, g, bands, name) {
  for (const [from] of bands) {
    const x = Math.max(0, g.left(from)) + 6;
    if (x < g.right - NAMED) haloed(context, name, x, FIRST, colors.muted, colors.panel);
  }
}

/** From here on a continuous code is another contract: nothing is adjusted, so prices may jump. */
function drawChange(context, g, { bars, step }, { time, code }) {
  let i = bars.find(time);
  if (i < 0 || bars.time[i] + step <= time) i += 1;
  if (i < Math.max(1, g.first) || i > g.last) return;
  const x = g.left(i);
  upright(context, x, 0, g.bottom, colors.accent, [2, 3]);
  const said = `→ ${code}`;
  const isRight = x + context.measureText(said).width + 6 > g.right;
  context.textAlign = isRight ? "right" : "left";
  haloed(context, said, isRight ? x - 5 : x + 5, SECOND, colors.accent, colors.panel);
}

/** To the right of the newest bar, by the kind of what is ahead; `left` is where that begins. */
const AHEAD = {
  /** Nothing is heard any more: what would be there, nobody knows. */
  veil(context, g, { ahead }, left) {
    context.fillStyle = colors.veil;
    context.fillRect(left, 0, g.right - left, g.bottom);
    upright(context, left, 0, g.bottom, colors.warn);
    ahead.texts.forEach((text, i) =>
      between(context, g, text, left, g.priceBottom / 2 + i * LINE, colors.warn, colors.veil));
  },
  /** The market is closed: when it opens again, on the axis; the line of a session leaves no room there. */
  next(context, g, { ahead, session }, left) {
    const [when, name] = ahead.texts;
    if (!session) upright(context, (left + g.right) / 2, LINE + SECOND, g.bottom, colors.edge, [4, 3]);
    between(context, g, name, left, session ? SECOND + LINE : SECOND, colors.muted, colors.panel);
    between(context, g, when, left, session ? SECOND : g.bottom + FIRST, colors.ink, colors.panel);
  },
};

/** A text in the middle between `left` and the right edge, never beyond that. */
function between(context, g, text, left, y, color, halo) {
  const half = context.measureText(text).width / 2;
  context.textAlign = "center";
  haloed(context, text, Math.min((left + g.right) / 2, g.right - half - 4), y, color, halo);
}
