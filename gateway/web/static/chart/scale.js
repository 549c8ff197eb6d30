/** From prices to pixels, and the round figures beside the axis. */

import { decimals } from "../model/ticks.js";

const PADDING = 0.07; // part of the range above and below
const MOST_DIGITS = 8;

/**
 * A scale of prices from `low` to `high` on `top` to `bottom` pixels, `stretch` times as tall as what
 * fits; a flat price gets a `tick` above and below.
 */
export function scale(low, high, top, bottom, tick = 0, stretch = 1) {
  const least = 2 * tick;
  const middle = (low + high) / 2;
  const span = Math.max(high - low, least || Math.abs(high) * 0.001 || 1) / stretch;
  const from = middle - span * (0.5 + PADDING);
  const to = middle + span * (0.5 + PADDING);
  const perUnit = (bottom - top) / (to - from);
  return {
    y: (price) => bottom - (price - from) * perUnit,
    price: (y) => from + (bottom - y) / perUnit,
    from,
    to,
  };
}

/**
 * About `count` round prices between `from` and `to`, and the decimals with which no two read the
 * same: `{prices, digits}`.  Steps are 1, 2 or 5 times a power of ten, not finer than `tick`;
 * decimals are not fewer than `least`.
 */
export function roundPrices(from, to, count, tick, least) {
  let step = Math.max((to - from) / Math.max(1, count), tick);
  const power = 10 ** Math.floor(Math.log10(step) + 1e-9);
  step = [1, 2, 5, 10].find((factor) => factor * power >= step * 0.999999) * power;
  const needed = Math.max(0, Math.min(MOST_DIGITS, -Math.floor(Math.log10(step) + 1e-9)));
  const digits = Math.max(least, Math.min(needed, decimals(step) || needed));
  const prices = [];
  const first = Math.ceil(from / step - 1e-9);
  const more = Math.min(1000, Math.floor(to / step + 1e-9) - first); // beyond 2 ** 53, first + 1 may be first
  for (let i = 0; i <= more; i++) prices.push((first + i) * step);
  return { prices, digits };
}
