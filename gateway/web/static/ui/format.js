/** Numbers and times as people read them; units in the language of the page. */

import { dayOf, hm, hms, local, now } from "../model/clock.js";
import { decimals } from "../model/ticks.js";
import { language, t } from "./i18n.js";

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

/** 23,005.50, with a real minus sign for what is negative. */
export function number(value, digits = 0) {
  const text = format(digits).format(Math.abs(value));
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

/** The same, or a dash for what nobody knows. */
export const figureText = (value, digits = 0) => Number.isFinite(value) ? number(value, digits) : NONE;

/**
 * A price, or a dash: with `digits` decimals, or as many as it has.  Where the step of prices changes
 * (at 500 from 0.5 to 1), those on the other side have more, and none may be rounded.
 */
export const exact = (price, digits) => figureText(price, Math.max(digits, decimals(price)));

/** 12,345,678, or 123.5M, which Chinese writes in units of a hundred million. */
export function volumeText(value) {
  if (!Number.isFinite(value)) return NONE;
  if (value < 1e8) return number(value, Number.isInteger(value) ? 0 : 1);
  const unit = Number(t("unit.many")); // how many one of them is
  const count = value / unit;
  return t("unit.much", { n: number(count, count < 10 ? 2 : count < 1000 ? 1 : 0) });
}

/** +5.00 */
export const signed = (value, digits) => (value > 0 ? "+" : "") + number(value, digits);

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

/** 08:45 at the exchange; with the day, if that is not today's there. */
export function moment(date) {
  const at = Date.parse(date) / 1000;
  return dayOf(at) === dayOf(now()) ? hm(at) : `${day(at)} ${hm(at)}`;
}

/** 2026-11-30 09:30:05 at the exchange, of milliseconds since 1970. */
export const stamp = (at) =>
  new Date(local(at / 1000) * 1000).toISOString().slice(0, 19).replace("T", " ");

/** 14:05:09 at the exchange, of an ISO date or of milliseconds; with the day, if not today's. */
export function clock(date) {
  const at = new Date(date) / 1000;
  return dayOf(at) === dayOf(now()) ? hms(at) : `${day(at)} ${hms(at)}`;
}

/** Tue 12/1, at the exchange. */
function day(seconds) {
  const form = { weekday: "short", month: "numeric", day: "numeric", timeZone: "UTC" };
  return new Date(local(seconds) * 1000).toLocaleDateString(language(), form);
}
