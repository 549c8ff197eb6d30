/** The exchange's time: the gateway's clock and zone, whatever the browser's are. */

const HOUR = 3600, DAY = 86_400;
const MOST_OFFSETS = 4000; // hours whose offset is kept
const DRIFT = 2; // seconds: an answer may be a second old, a clock that was set is further off

const offsets = new Map(); // hour since 1970 -> seconds east of Greenwich
let zone = "Asia/Taipei";
let formatter = make(zone);
let ahead = 0; // seconds by which the gateway's clock is ahead of the browser's
let isTold = false;

function make(name) {
  return new Intl.DateTimeFormat("en-US", {
    timeZone: name, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric",
    hour: "numeric", minute: "numeric", second: "numeric",
  });
}

/** Take what the gateway tells: its time in seconds since 1970, and its zone by IANA name. */
export function settle(time, name) {
  if (Number.isFinite(time)) {
    const found = time - Date.now() / 1000;
    // The answer was under way for a while, so the clock that is furthest ahead is right.
    if (!isTold || Math.abs(found - ahead) > DRIFT || found > ahead) ahead = found;
    isTold = true;
  }
  if (typeof name !== "string" || name === zone) return;
  try {
    formatter = make(name);
  } catch {
    return; // a zone that this browser does not know
  }
  zone = name;
  offsets.clear();
}

/** Seconds since 1970 by the gateway's clock, of milliseconds by the browser's. */
export const byGateway = (at) => at / 1000 + ahead;

/** Milliseconds by the browser's clock, of seconds since 1970 by the gateway's. */
export const byBrowser = (seconds) => (seconds - ahead) * 1000;

/** Seconds since 1970, by the gateway's clock. */
export const now = () => byGateway(Date.now());

/** Seconds since 1970 as a clock in the zone shows them: midnight there is a multiple of a day. */
export function local(seconds) {
  const hour = Math.floor(seconds / HOUR);
  let offset = offsets.get(hour);
  if (offset === undefined) {
    if (offsets.size >= MOST_OFFSETS) offsets.clear();
    offset = look(hour * HOUR);
    offsets.set(hour, offset);
  }
  return seconds + offset;
}

function look(seconds) {
  const at = new Date(seconds * 1000);
  if (Number.isNaN(at.getTime())) return 0;
  const part = {};
  for (const { type, value } of formatter.formatToParts(at)) part[type] = Number(value);
  const { year, month, day, hour, minute, second } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - seconds;
}

/** 05 */
export const two = (value) => String(value).padStart(2, "0");

/** 14:05 */
export function hm(seconds) {
  const rest = local(seconds) % DAY;
  return `${two(Math.floor(rest / HOUR))}:${two(Math.floor((rest % HOUR) / 60))}`;
}

/** 14:05:09 */
export const hms = (seconds) => `${hm(seconds)}:${two(Math.floor(local(seconds) % 60))}`;

/** 12/01 */
export function monthDay(seconds) {
  const at = new Date(local(seconds) * 1000);
  return `${two(at.getUTCMonth() + 1)}/${two(at.getUTCDate())}`;
}

/** The number of the day, the same for all its seconds. */
export const dayOf = (seconds) => Math.floor(local(seconds) / DAY);
