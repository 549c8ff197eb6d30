/** The lowest canvas: nights, grid, closed bars, volume, averages, times.  Drawn seldom. */

import { hm } from "../model/clock.js";
import { barOf, isNight } from "../model/sessions.js";
import { t } from "../ui/i18n.js";
import { colors } from "../ui/theme.js";
import { times } from "./axis.js";
import { bodyWidth, candle, curve, diamond, rule, upright } from "./shapes.js";

export const AVERAGES = [5, 20, 60];
const SEMI = 0.38; // of volumes

/** Draw it; the newest bar is left to the live canvas. */
export function drawBase(context, g, data) {
  context.textBaseline = "middle";
  for (const band of [...g.nights, ...g.trialBands]) drawBand(context, g, band);
  for (const price of g.ticks.prices) {
    const y = g.y(price);
    if (y <= g.priceBottom + 4) rule(context, y, 0, g.right, colors.line);
  }
  drawTimes(context, g, data);
  clipped(context, g, () => {
    const newest = data.bars.length - 1;
    drawVolume(context, g, data, g.first, Math.min(g.last, newest - 1));
    if (data.session) drawLine(context, g, data);
    else drawCandles(context, g, data, g.first, Math.min(g.last, newest - 1));
    if (data.averages) drawAverages(context, g, data);
    drawTrials(context, g, data);
  });
  upright(context, g.right, 0, g.bottom, colors.line);
  rule(context, g.bottom, 0, g.width, colors.line);
}

/** The bars from `first` to `last`; where they are narrower than a pixel, a column is drawn once. */
export function drawCandles(context, g, { bars }, first, last) {
  const { open, high, low, close } = bars;
  if (g.pitch < 1) {
    drawColumns(context, g, bars, first, last);
    return;
  }
  const width = bodyWidth(g.pitch);
  for (let i = first; i <= last; i++) {
    if (Number.isNaN(close[i])) continue;
    const color = close[i] >= open[i] ? colors.up : colors.down;
    candle(context, g.x(i), g.y(open[i]), g.y(high[i]), g.y(low[i]), g.y(close[i]), width, color);
  }
}

/** The volumes of the bars from `first` to `last`. */
export function drawVolume(context, g, { bars }, first, last) {
  const width = bodyWidth(g.pitch);
  const most = g.most || 1;
  context.globalAlpha = SEMI;
  for (let i = first; i <= last; i++) {
    const height = (bars.volume[i] / most) * g.volumeHeight;
    if (!(height > 0)) continue;
    context.fillStyle = bars.close[i] >= bars.open[i] ? colors.up : colors.down;
    context.fillRect(Math.round(g.x(i) - width / 2), g.bottom - height, width, height);
  }
  context.globalAlpha = 1;
}

/** Nothing outside of the prices and volumes. */
export function clipped(context, g, draw) {
  context.save();
  context.beginPath();
  context.rect(0, 0, g.right, g.bottom);
  context.clip();
  draw();
  context.restore();
}

function drawColumns(context, g, { open, high, low, close }, first, last) {
  for (let i = first; i <= last;) {
    const x = Math.floor(g.x(i));
    const begin = i;
    let top = -Infinity, bottom = Infinity;
    for (; i <= last && Math.floor(g.x(i)) === x; i++) {
      if (high[i] > top) top = high[i];
      if (low[i] < bottom) bottom = low[i];
    }
    if (top < bottom) continue;
    context.fillStyle = close[i - 1] >= open[begin] ? colors.up : colors.down;
    context.fillRect(x, g.y(top), 1, Math.max(1, g.y(bottom) - g.y(top)));
  }
}

function drawBand(context, g, [from, to]) {
  const left = Math.max(0, g.left(from));
  context.fillStyle = colors.night;
  context.fillRect(left, 0, Math.min(g.right, g.left(to)) - left, g.bottom);
}

function drawTimes(context, g, data) {
  if (data.session) {
    drawHours(context, g, data);
    return;
  }
  for (const { i, text, isStart } of times(data, g.first, g.last, g.pitch)) {
    const x = isStart ? g.left(i) : g.x(i);
    if (x < 4 || x > g.right - 4) continue;
    upright(context, x, 0, g.bottom, isStart ? colors.edge : colors.line, isStart ? [4, 3] : []);
    const said = isStart ? `${text}${sessionName(data, i)}` : text;
    context.font = isStart ? data.bold : data.font;
    context.fillStyle = isStart ? colors.ink : colors.muted;
    const half = context.measureText(said).width / 2;
    context.textAlign = "center";
    context.fillText(said, Math.min(Math.max(x, half + 2), g.right - half), g.bottom + 12);
  }
  context.font = data.font;
}

/** " day session" where the market has two. */
function sessionName({ bars, market, step }, i) {
  if (market !== "futures" || step >= 86_400) return "";
  return ` ${t(`hours.${isNight(market, bars.time[i]) ? "night" : "day"}`)}`;
}

/** The hours of the session that is laid out from left to right. */
function drawHours(context, g, { session }) {
  const span = session.close - session.open > 6 * 3600 ? 7200 : 3600;
  context.fillStyle = colors.muted;
  const perSecond = g.right / (session.close - session.open);
  for (let at = Math.ceil(session.open / span) * span; at <= session.close; at += span) {
    const x = (at - session.open) * perSecond;
    upright(context, x, 0, g.bottom, colors.line);
    context.textAlign = x < 20 ? "left" : x > g.right - 20 ? "right" : "center";
    context.fillText(hm(at), x, g.bottom + 12);
  }
}

function drawAverages(context, g, { bars }) {
  for (const count of AVERAGES) {
    const values = average(bars, count, g.first, g.last);
    const point = (i) => (Number.isNaN(values[i]) ? null : [g.x(g.first + i), g.y(values[i])]);
    curve(context, values.length, point, colors[`average-${count}`]);
  }
}

/** The average of the last `count` closing prices at each bar from `first` to `last`. */
export function average({ close }, count, first, last) {
  const found = new Float64Array(last - first + 1).fill(NaN);
  const window = [];
  let sum = 0;
  for (let i = Math.max(0, first - 2 * count); i <= last; i++) {
    if (Number.isNaN(close[i])) continue; // only what was traded
    window.push(close[i]);
    sum += close[i];
    if (window.length > count) sum -= window.shift();
    if (i >= first && window.length === count) found[i - first] = sum / count;
  }
  return found;
}

/** The line of a session, and the average price of all that was traded so far. */
function drawLine(context, g, { bars }) {
  const count = g.last - g.first + 1;
  const point = (i) => [g.x(g.first + i), g.y(bars.close[g.first + i])];
  const isGap = (i) => Number.isNaN(bars.close[g.first + i]);
  let worth = 0, volume = 0;
  const mean = [];
  for (let i = g.first; i <= g.last; i++) {
    if (!Number.isNaN(bars.close[i])) {
      worth += ((bars.high[i] + bars.low[i] + bars.close[i]) / 3) * bars.volume[i];
      volume += bars.volume[i];
    }
    mean.push(volume ? worth / volume : NaN);
  }
  const level = (i) => (Number.isNaN(mean[i]) ? null : [g.x(g.first + i), g.y(mean[i])]);
  curve(context, count, level, colors["average-5"]);
  curve(context, count, (i) => (isGap(i) ? null : point(i)), colors.accent, 1.6);
}

function drawTrials(context, g, { bars, trials, market, step }) {
  if (step > 60) return;
  for (const { time, price } of trials) {
    const begin = barOf(market, step, time);
    const i = bars.find(begin);
    if (i < g.first || i > g.last || bars.time[i] !== begin) continue;
    diamond(context, g.x(i), g.y(price), colors.ink, colors.panel);
  }
}

/** Where there are no bars yet. */
export function drawSkeleton(context, width, height) {
  for (let part = 1; part < 5; part++) rule(context, (height * part) / 5, 0, width, colors.line);
  for (let part = 1; part < 4; part++) upright(context, (width * part) / 4, 0, height, colors.line);
}
