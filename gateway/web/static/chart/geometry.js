/** Where everything of a chart is, for one size, view and set of bars. */

import { number } from "../ui/format.js";
import { nights, trialBands } from "./axis.js";
import { roundPrices, scale } from "./scale.js";

const FOOT = 22, TOP = 6; // pixels below and above the prices
const VOLUME = 0.17; // part of the height
const AXIS = 56, AXIS_STEP = 8, AXIS_PADDING = 14; // pixels
const APART = 50; // pixels from one price to the next
const MOST_REFERENCE = 0.4; // part of the height that the reference may take
const MOST_LIMIT = 0.15; // the same for a limit

/**
 * The geometry of `data` (see chart.js) on `width` times `height` pixels; null: nothing to draw.
 * `measure(text)` is how wide a text is.
 */
export function geometry(data, view, width, height, measure) {
  const { bars, digits, tick } = data;
  if (!bars.length || width < 80 || height < 80) return null;
  let axis = data.axis ?? AXIS;
  let across = along(data, view, width - axis);
  const found = extent(data, across);
  if (!found) return null;
  const bottom = height - FOOT;
  const volume = Math.round(height * VOLUME);
  const priceBottom = bottom - volume - 8;
  const down = scale(found.low, found.high, TOP, priceBottom, tick, view.stretch);
  const ticks = roundPrices(down.from, down.to, (priceBottom - TOP) / APART, tick, digits);
  const known = [down.from, down.to, data.price].filter(Number.isFinite);
  const longest = known.map((price) => measure(number(price, ticks.digits)));
  const wanted = Math.ceil((Math.max(...longest) + AXIS_PADDING) / AXIS_STEP) * AXIS_STEP;
  if (wanted > axis) {
    axis = wanted;
    across = along(data, view, width - axis);
  }
  const { first, last } = across;
  return {
    ...across, ...down, ticks, width, axis,
    left: (i) => across.x(i) - across.pitch / 2,
    right: width - axis, bottom, priceBottom, volumeHeight: volume, most: found.most,
    nights: data.session ? [] : nights(data, first, last),
    trialBands: data.session ? [] : trialBands(data, first, last),
  };
}

/** Across: by bars, or, for the line of a session, by its time. */
function along({ bars, session, step }, view, width) {
  if (session) {
    const first = Math.max(0, bars.find(session.open - 1) + 1);
    const last = Math.min(bars.length - 1, bars.find(session.close));
    const perSecond = width / (session.close - session.open);
    return {
      first, last,
      pitch: perSecond * step,
      x: (i) => (bars.time[i] - session.open + step / 2) * perSecond,
      indexAt: (x) => Math.min(last, Math.max(first, bars.find(session.open + x / perSecond))),
    };
  }
  view.settle(bars, width);
  const first = Math.max(0, Math.floor(view.place(0, width)));
  const last = Math.min(bars.length - 1, Math.ceil(view.place(width, width)) - 1);
  return {
    first, last,
    pitch: view.pitch,
    x: (i) => view.x(i, width),
    indexAt: (x) => Math.min(last, Math.max(first, Math.floor(view.place(x, width)))),
  };
}

/** The prices and the volume to make room for; null: no bar in view has a price. */
function extent({ bars, reference, limits, trials }, { first, last }) {
  let low = Infinity, high = -Infinity, most = 0;
  for (let i = first; i <= last; i++) {
    if (bars.low[i] < low) low = bars.low[i];
    if (bars.high[i] > high) high = bars.high[i];
    if (bars.volume[i] > most) most = bars.volume[i];
  }
  for (const { time, price } of trials) {
    if (time < bars.time[first] || time > bars.last + 60) continue;
    low = Math.min(low, price);
    high = Math.max(high, price);
  }
  if (low > high) return null;
  ({ low, high } = including(reference, low, high, MOST_REFERENCE));
  for (const limit of limits) ({ low, high } = including(limit, low, high, MOST_LIMIT));
  return { low, high, most };
}

/** With `price` in the range, unless that takes more than `part` of it. */
function including(price, low, high, part) {
  const room = Math.max(high - low, Math.abs(high) * 0.0005);
  if (price > high && (price - high) / (price - low + room * 1e-9) <= part) return { low, high: price };
  if (price < low && (low - price) / (high - price + room * 1e-9) <= part) return { low: price, high };
  return { low, high };
}
