/** Draws the bars of one code on a canvas: candles or a line, volume, axes, a crosshair. */

import { number } from "../ui/format.js";
import { roundPrices, roundTimes, scale } from "./scale.js";
import { colors } from "../ui/theme.js";

const AXIS = 58, FOOT = 22, VOLUME = 0.18; // pixels, pixels, part of the height
const WIDEST = 14; // pixels from one bar to the next, at most
const FONT = "11px ui-sans-serif, system-ui, sans-serif";

/** What is drawn: `series`, `reference`, `digits`, `candles`, and `at`, the bar pointed at. */
export class Chart {
  #canvas;
  #context;
  #width = 0;
  #height = 0;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
  }

  /** The size in CSS pixels. */
  resize(width, height) {
    const ratio = window.devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#width = width;
    this.#height = height;
  }

  /** The number of the bar at `x`. */
  barAt(series, x) {
    const { left, pitch } = this.#across(series.length);
    const at = Math.floor((x - left) / pitch);
    return Math.min(Math.max(at, 0), series.length - 1);
  }

  draw({ series, reference, digits, candles, at }) {
    const context = this.#context;
    context.clearRect(0, 0, this.#width, this.#height);
    if (!series.length) return;
    context.font = FONT;
    const plot = { ...this.#across(series.length), ...this.#down(series, reference) };
    const last = series.close[series.length - 1];
    this.#prices(plot, digits, plot.y(last));
    this.#times(plot, series);
    this.#volume(plot, series);
    if (Number.isFinite(reference)) this.#rule(plot.y(reference), colors.muted, [2, 3]);
    if (candles) this.#candles(plot, series);
    else this.#line(plot, series);
    this.#tag(plot.y(last), number(last, digits), last >= reference ? colors.up : colors.down);
    if (at >= 0 && at < series.length) this.#crosshair(plot, series, at, digits);
  }

  /** Where bars are: the first at `left`, the newest at the axis, `pitch` from one to the next. */
  #across(count) {
    const right = this.#width - AXIS;
    const pitch = Math.min(WIDEST, right / count);
    return { left: right - count * pitch, pitch, right };
  }

  #down(series, reference) {
    let low = Infinity, high = -Infinity, most = 0;
    for (let i = 0; i < series.length; i++) {
      low = Math.min(low, series.low[i]);
      high = Math.max(high, series.high[i]);
      most = Math.max(most, series.volume[i]);
    }
    // The reference is in view unless that would flatten all the rest.
    const room = Math.max(high - low, Math.abs(high) * 0.001);
    if (reference > high && reference - high < room) high = reference;
    if (reference < low && low - reference < room) low = reference;
    const bottom = this.#height - FOOT;
    return { ...scale(low, high, 4, bottom * (1 - VOLUME)), most, bottom };
  }

  /** Round prices beside the axis, but none under the tag at `taken`. */
  #prices(plot, digits, taken) {
    const context = this.#context;
    context.textBaseline = "middle";
    context.textAlign = "left";
    for (const price of roundPrices(plot.from, plot.to, this.#height / 52)) {
      const y = plot.y(price);
      this.#rule(y, colors.line, []);
      context.fillStyle = colors.muted;
      if (Math.abs(y - taken) > 14) context.fillText(number(price, digits), plot.right + 8, y);
    }
  }

  #times(plot, series) {
    const context = this.#context;
    context.textAlign = "center";
    const { time, length, step } = series;
    const from = time[0];
    // Only bars with trades are there, so a time is where its bar is.
    let bar = 0, free = 28;
    for (const at of roundTimes(from, time[length - 1] + step, plot.right / 80)) {
      while (bar < length - 1 && time[bar] < at) bar++;
      const x = plot.left + (bar + 0.5) * plot.pitch;
      if (x < free || x > plot.right - 20 || time[bar] < at) continue;
      free = x + 70;
      context.fillText(clock(at, step), x, this.#height - FOOT / 2 + 2);
    }
  }

  #volume(plot, series) {
    const context = this.#context;
    const width = Math.max(1, plot.pitch * 0.7);
    const most = plot.most || 1;
    context.globalAlpha = 0.28;
    for (let i = 0; i < series.length; i++) {
      const height = (series.volume[i] / most) * (plot.bottom * VOLUME - 8);
      context.fillStyle = this.#color(series, i);
      const x = plot.left + i * plot.pitch + (plot.pitch - width) / 2;
      context.fillRect(x, plot.bottom - height, width, height);
    }
    context.globalAlpha = 1;
  }

  #candles(plot, series) {
    const context = this.#context;
    const width = Math.max(1, Math.min(9, plot.pitch * 0.7));
    for (let i = 0; i < series.length; i++) {
      const middle = plot.left + (i + 0.5) * plot.pitch;
      const top = plot.y(Math.max(series.open[i], series.close[i]));
      const bottom = plot.y(Math.min(series.open[i], series.close[i]));
      const high = plot.y(series.high[i]);
      context.fillStyle = this.#color(series, i);
      context.fillRect(middle - 0.5, high, 1, plot.y(series.low[i]) - high);
      context.fillRect(middle - width / 2, top, width, Math.max(1, bottom - top));
    }
  }

  #line(plot, series) {
    const context = this.#context;
    context.beginPath();
    for (let i = 0; i < series.length; i++) {
      context.lineTo(plot.left + (i + 0.5) * plot.pitch, plot.y(series.close[i]));
    }
    context.strokeStyle = colors.accent;
    context.lineWidth = 1.6;
    context.lineJoin = "round";
    context.stroke();
    context.lineTo(plot.left + (series.length - 0.5) * plot.pitch, plot.bottom);
    context.lineTo(plot.left + 0.5 * plot.pitch, plot.bottom);
    context.globalAlpha = 0.08;
    context.fillStyle = colors.accent;
    context.fill();
    context.globalAlpha = 1;
  }

  #crosshair(plot, series, at, digits) {
    const context = this.#context;
    const x = Math.round(plot.left + (at + 0.5) * plot.pitch) + 0.5;
    const y = plot.y(series.close[at]);
    context.strokeStyle = colors.muted;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, plot.bottom);
    context.stroke();
    context.setLineDash([]);
    this.#rule(y, colors.muted, [3, 3]);
    this.#tag(y, number(series.close[at], digits), colors.muted);
  }

  /** A horizontal line. */
  #rule(y, color, dash) {
    const context = this.#context;
    context.strokeStyle = color;
    context.lineWidth = 1;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(0, Math.round(y) + 0.5);
    context.lineTo(this.#width - AXIS, Math.round(y) + 0.5);
    context.stroke();
    context.setLineDash([]);
  }

  /** A price on the axis. */
  #tag(y, text, color) {
    const context = this.#context;
    context.fillStyle = color;
    context.beginPath();
    context.roundRect(this.#width - AXIS + 2, y - 9, AXIS - 4, 18, 4);
    context.fill();
    context.fillStyle = colors.panel;
    context.textAlign = "left";
    context.fillText(text, this.#width - AXIS + 8, y + 0.5);
  }

  #color(series, i) {
    return series.close[i] >= series.open[i] ? colors.up : colors.down;
  }
}

function clock(seconds, step) {
  const text = new Date(seconds * 1000).toLocaleTimeString("en-GB");
  return step < 60 ? text : text.slice(0, 5);
}
