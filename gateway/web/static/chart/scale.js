/** From prices and times to pixels, and the round figures beside the axes. */

/** A scale of prices from `low` to `high` on `top` to `bottom` pixels. */
export function scale(low, high, top, bottom) {
  const span = high - low || Math.abs(high) * 0.001 || 1;
  const from = low - span * 0.06;
  const to = high + span * 0.06;
  const perUnit = (bottom - top) / (to - from);
  return {
    y: (price) => bottom - (price - from) * perUnit,
    price: (y) => from + (bottom - y) / perUnit,
    from,
    to,
  };
}

/** About `count` round prices between `from` and `to`. */
export function roundPrices(from, to, count) {
  const rough = (to - from) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  const found = [];
  const first = Math.ceil(from / step);
  const more = Math.floor(to / step) - first; // beyond 2 ** 53, first + 1 may be first
  for (let i = 0; i <= more; i++) found.push((first + i) * step);
  return found;
}

const SPANS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800];
const DAY = 86400;

/** Round times, in seconds since 1970, at most `count` of them between `from` and `to`. */
export function roundTimes(from, to, count) {
  const days = Math.ceil((to - from) / count / DAY); // a clock that was wrong gives centuries
  const step = SPANS.find((span) => (to - from) / span <= count) ?? days * DAY;
  const offset = new Date(from * 1000).getTimezoneOffset() * 60;
  const found = [];
  const first = Math.ceil((from - offset) / step) * step + offset;
  for (let at = first; at <= to; at += step) found.push(at);
  return found;
}
