/** How the figures of a code are written, wherever they are shown. */

import { hm } from "../model/clock.js";
import { exact, NONE, signed } from "../ui/format.js";
import { language, t } from "../ui/i18n.js";

const DIRECTIONS = new Map([[1, "up"], [-1, "down"], [0, "flat"]]);
export const LONGEST = 16; // characters of a code that are shown whole

/** "up", "down" or "flat"; what is no number is flat. */
export const direction = (value) => DIRECTIONS.get(Math.sign(value)) ?? "flat";

/** The direction from the reference to `price`; "" where one of them is missing. */
export const against = (price, { reference }) =>
  Number.isFinite(price - reference) ? direction(price - reference) : "";

/** The change of an instrument without its sign, which an arrow has; and its percentage. */
export function changeTexts({ change, percent, digits }) {
  if (!Number.isFinite(change)) return [NONE, ""];
  const size = change === 0 ? "0" : exact(Math.abs(change), digits);
  return [size, Number.isFinite(percent) ? `${signed(percent, 2)}%` : NONE];
}

/** A price with the decimals of its code. */
export const priceText = (price, { digits }) => exact(price, digits);

/** A code; a longer one is shortened in its middle. */
function codeText(code) {
  if (code.length <= LONGEST) return code;
  return `${code.slice(0, LONGEST / 2 - 1)}…${code.slice(-LONGEST / 2)}`;
}

/** That a price is at the upper (1) or the lower (-1) limit. */
export const limitText = (limit) => t(`label.${limit > 0 ? "limit-up" : "limit-down"}`);

/** That a price is the last one of its session, and of when. */
export const closeText = ({ time }) => `${t("label.close")} ${Number.isFinite(time) ? hm(time) : ""}`.trim();

/** What stands first and second: people in Taiwan know stocks by their names. */
export function titles({ code, name }) {
  const shown = codeText(code);
  if (!name) return [shown, ""];
  return language() === "en" ? [shown, name] : [name, shown];
}

/** The same, the code whole, and with the one under which a continuous contract trades. */
export function longTitles({ code, name, target }) {
  const found = !name ? [code] : language() === "en" ? [code, name] : [name, code];
  if (target) found.push(`${found.pop()} → ${target}`);
  return [...found, ""].slice(0, 2);
}
