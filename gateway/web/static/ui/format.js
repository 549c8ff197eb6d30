/** Numbers and times as people read them; units in the language of the page. */

import { language, t } from "./i18n.js";

const TAIPEI = "Asia/Taipei";
const MINUS = "\u2212";
export const NONE = "\u2013";

const formats = new Map();

function format(digits) {
  let found = formats.get(digits);
  if (!found) {
    found = new Intl.NumberFormat("en-US", {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    formats.set(digits, found);
  }
  return found;
}

/** 23,005.50 */
export const number = (value, digits = 0) => format(digits).format(value);

/** How many decimals it takes to write `value`, at most 4. */
export function decimals(value) {
  for (let digits = 0, power = 1; digits < 4; digits++, power *= 10) {
    if (Math.abs(value * power - Math.round(value * power)) < 1e-6 * power) return digits;
  }
  return 4;
}

/** +5.00, with a real minus sign for what is negative. */
export function signed(value, digits) {
  const text = number(Math.abs(value), digits);
  if (value > 0) return `+${text}`;
  return value < 0 ? MINUS + text : text;
}

const AGES = [["d", 86400], ["h", 3600], ["m", 60]];

/** Seconds as one short figure: 3s, 2m, 4h. */
export function age(seconds) {
  for (const [unit, length] of AGES) {
    if (seconds >= length) return t(`unit.${unit}`, { n: Math.floor(seconds / length) });
  }
  return t("unit.s", { n: Math.max(0, Math.floor(seconds)) });
}

/** Seconds as two figures: 2 h 14 min. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const days = Math.floor(whole / 86400);
  const hours = Math.floor((whole % 86400) / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (days) return t("duration.dh", { d: days, h: hours });
  if (hours) return t("duration.hm", { h: hours, m: minutes });
  if (minutes) return t("duration.ms", { m: minutes, s: whole % 60 });
  return t("duration.s", { s: whole });
}

/** 12.3 KB */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  const power = Math.min(3, Math.floor(Math.log10(count) / 3));
  return `${number(count / 1000 ** power, count / 1000 ** power < 10 ? 1 : 0)} ${" KMG"[power]}B`;
}

/** 08:45 in Taipei, where the markets are; with the day, if that is not today's there. */
export function moment(date) {
  const at = new Date(date);
  const day = (when) => when.toLocaleDateString("en-CA", { timeZone: TAIPEI });
  const time = at.toLocaleTimeString("en-GB", { timeZone: TAIPEI, timeStyle: "short" });
  if (day(at) === day(new Date())) return time;
  const weekday = { weekday: "short", month: "numeric", day: "numeric", timeZone: TAIPEI };
  return `${at.toLocaleDateString(language(), weekday)} ${time}`;
}

/** 2026-11-30 09:30:05 in Taipei of milliseconds since 1970. */
export const stamp = (at) => new Date(at).toLocaleString("sv-SE", { timeZone: TAIPEI });

/** 14:05:09 of an ISO date or of milliseconds since 1970; with the day, if that is not today. */
export function clock(date) {
  const at = new Date(date);
  const time = at.toLocaleTimeString("en-GB");
  if (at.toDateString() === new Date().toDateString()) return time;
  const day = at.toLocaleDateString(language(), { month: "short", day: "numeric" });
  return `${day} ${time}`;
}
