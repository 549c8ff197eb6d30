/** When the markets of Taiwan trade, and to which bar a trade belongs. */

const HOUR = 3600, DAY = 86_400;
const TAIPEI = 8 * HOUR; // east of Greenwich, without daylight saving time
const DAY_BEGINS = 5.5 * HOUR, NIGHT_BEGINS = 14.5 * HOUR; // parts of a trading day

/** By market, in seconds of Taipei's day; a night ends after midnight. */
const SESSIONS = {
  futures: { day: [8.75 * HOUR, 13.75 * HOUR], night: [15 * HOUR, 29 * HOUR] },
  stocks: { day: [9 * HOUR, 13.5 * HOUR] },
};

/**
 * The session on whose account a trade at `at` (seconds since 1970) is: `{open, close, isNight}`;
 * null for a market without hours.
 */
export function session(market, at) {
  const hours = SESSIONS[market];
  if (!hours) return null;
  const second = (((at + TAIPEI) % DAY) + DAY) % DAY;
  const midnight = at - second;
  const isDay = !hours.night || (second >= DAY_BEGINS && second < NIGHT_BEGINS);
  const begins = isDay || second >= NIGHT_BEGINS ? midnight : midnight - DAY;
  const [open, close] = isDay ? hours.day : hours.night;
  return { open: begins + open, close: begins + close, isNight: !isDay };
}

/** Whether a bar that begins at `at` is of the night. */
export const isNight = (market, at) => session(market, at)?.isNight ?? false;

/** A moment of the day on whose account a session is: the night is the next trading day's. */
export function accountDay(market, at) {
  const found = session(market, at);
  if (!found?.isNight) return at;
  const weekday = Math.floor((found.open + TAIPEI) / DAY + 4) % 7; // 1970 began on a Thursday
  return found.open + (weekday === 5 ? 3 : 1) * DAY;
}

/**
 * The beginning of the bar of `step` seconds to which a trade at `at` belongs, as the gateway has
 * it: longer bars begin with their session, and the last instant is in the last bar.
 */
export function barOf(market, step, at) {
  const found = session(market, at);
  if (!found) return Math.floor(at / step) * step;
  const { open, close } = found;
  if (step >= DAY) return open;
  const within = at >= close && at < close + 1 ? close - 0.001 : at;
  if (step <= 60 || within < open) return Math.floor(within / step) * step;
  return open + Math.floor((within - open) / step) * step;
}
