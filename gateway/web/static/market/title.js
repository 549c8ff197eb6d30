/** What the browser's tab says: it is read while nobody sees the page. */

import { exact } from "../ui/format.js";
import { t } from "../ui/i18n.js";
import { priceText } from "./words.js";

/** ⚠ 31,268 ▲148 TXFR1 · sjgateway; `instrument` is the one in view, or null. */
export function titleText(instrument, { isAlarm, isReplay }) {
  const marks = `${isAlarm ? "⚠ " : ""}${isReplay ? "▶ " : ""}`;
  if (!Number.isFinite(instrument?.shown)) return `${marks}sjgateway`;
  const { shown, change, digits, isTrial, code } = instrument;
  const arrow = { 1: "▲", "-1": "▼" }[Math.sign(change)] ?? "";
  const size = arrow && exact(Math.abs(change), digits);
  const trial = isTrial ? t("label.trial") : "";
  const said = [trial, priceText(shown, instrument), arrow + size, code].filter(Boolean).join(" ");
  return `${marks}${said} · sjgateway`;
}
