/** The middle canvas: the newest bar, the lines of prices, and what stands on their axis. */

import { exact, number } from "../ui/format.js";
import { colors } from "../ui/theme.js";
import { clipped, drawCandles, drawVolume } from "./base.js";
import { drawMarks } from "./marks.js";
import { haloed, rule, tag } from "./shapes.js";

export const HEIGHT = 18; // pixels of a tag
const LEFT = 13; // of the time left below the last price
const EDGE = 15; // from one name at an edge to the next
const MOST_AT_EDGE = 3;

/**
 * Draw it; `told` are the lines of prices, those first that shall have their tags.  What stands on the
 * axis, for the pointer's tag: `last`, the `[from, to]` of the last price's, or null, and the `lines`
 * that have a tag.
 */
export function drawLive(context, g, data, told) {
  const newest = data.bars.length - 1;
  context.font = data.font;
  context.textBaseline = "middle";
  const last = lastTag(g, data);
  clipped(context, g, () => {
    for (const line of told) {
      if (isWithin(g, line.price)) rule(context, g.y(line.price), 0, g.right, colors[line.color], line.isChosen ? [] : line.dash);
    }
    if (last) rule(context, last.at, 0, g.right, colors[last.line], [1, 3]);
    if (g.last === newest) {
      drawVolume(context, g, data, newest, newest);
      if (!data.session) drawCandles(context, g, data, newest, newest);
    }
  });
  drawMarks(context, g, data);
  const reach = last && [last.at - HEIGHT / 2, last.at + HEIGHT / 2 + (data.left ? LEFT : 0)];
  const taken = last ? [reach] : [];
  const lines = told.map((line) => ({ ...line, at: g.y(line.price) }));
  const shown = lines.filter((line) => isWithin(g, line.price) && claim(taken, line.at));
  drawLabels(context, g, taken);
  context.font = data.bold;
  context.textAlign = "right";
  for (const line of shown) drawName(context, g, line);
  drawEdges(context, g, data, lines);
  context.font = data.font;
  for (const line of lines) if (isWithin(g, line.price) && !shown.includes(line)) drawStub(context, g, line);
  for (const line of shown) {
    const color = colors[line.color];
    const look = line.isChosen ? { fill: color, ink: colors.panel } : { fill: colors.panel, ink: color, edge: color };
    tag(context, box(g, line.at), exact(line.price, data.digits), look);
  }
  if (last) drawLast(context, g, data, last);
  return { last: reach, lines: shown };
}

/** The tag of the last price, and how long its bar goes on. */
function drawLast(context, g, { digits, left }, last) {
  tag(context, box(g, last.at), exact(last.price, digits), last.look);
  if (!left) return;
  context.fillStyle = colors.muted;
  context.textAlign = "right";
  context.fillText(left, g.width - 7, last.at + HEIGHT / 2 + 7);
}

/** The tag of a price at `y`; nothing of it outside of the axis. */
export const box = (g, y) => ({
  x: g.right + 2, y: clampTag(g, y) - HEIGHT / 2, width: g.axis - 4, height: HEIGHT,
});

const clampTag = (g, y) => Math.min(Math.max(y, HEIGHT / 2 + 1), g.bottom - HEIGHT / 2);
const isWithin = (g, price) => price >= g.from && price <= g.to;

/** The newest price: filled while it is live, hollow when it is old. */
function lastTag(g, { price, reference, isOld }) {
  if (!Number.isFinite(price)) return null;
  const move = price > reference ? "up" : price < reference ? "down" : "flat";
  const full = { up: "up-full", down: "down-full", flat: "muted" }[move];
  const old = { up: "up-old", down: "down-old", flat: "muted" }[move];
  const look = isOld
    ? { fill: colors.panel, ink: colors[old], edge: colors[old] }
    : { fill: colors[full], ink: move === "flat" ? colors.panel : colors["on-full"] };
  return { price, at: clampTag(g, g.y(price)), line: isOld ? old : move, look };
}

/** Whether a tag at `at` has room; then it has it. */
function claim(taken, at) {
  const [top, bottom] = [at - HEIGHT / 2, at + HEIGHT / 2];
  if (taken.some(([from, to]) => top < to && bottom > from)) return false;
  taken.push([top, bottom]);
  return true;
}

/** Round prices; none under a tag. */
function drawLabels(context, g, taken) {
  context.fillStyle = colors.muted;
  context.textAlign = "right";
  for (const price of g.ticks.prices) {
    const y = g.y(price);
    if (y > g.priceBottom + 4 || y < 6) continue;
    if (taken.some(([from, to]) => y + 7 > from && y - 7 < to)) continue;
    context.fillText(number(price, g.ticks.digits), g.width - 7, y);
  }
}

/** What a line is, at its right end. */
function drawName(context, g, { name, way = "", color, at }) {
  haloed(context, `${name} ${way}`.trim(), g.right - 8, at < 36 ? at + 11 : at - 9, colors[color], colors.panel);
}

/** Lines that are out of view have an arrow at the edge, the nearest ones next to the prices. */
function drawEdges(context, g, { digits }, lines) {
  const told = lines.filter(({ isEdge, price }) => isEdge && !isWithin(g, price));
  const above = told.filter(({ price }) => price > g.to).sort((a, b) => a.price - b.price);
  const below = told.filter(({ price }) => price < g.from).sort((a, b) => b.price - a.price);
  const draw = (arrow, { name, price, color }, y) =>
    haloed(context, `${arrow} ${name} ${exact(price, digits)}`, g.right - 8, y, colors[color], colors.panel);
  above.slice(0, MOST_AT_EDGE).reverse().forEach((line, i) => draw("▲", line, 10 + i * EDGE));
  below.slice(0, MOST_AT_EDGE).reverse().forEach((line, i) => draw("▼", line, g.priceBottom - i * EDGE));
}

/** A tag that lost its place. */
export function drawStub(context, g, { at, color }) {
  context.fillStyle = colors[color];
  context.fillRect(g.right + 1, Math.round(at) - 1, 6, 3);
}
