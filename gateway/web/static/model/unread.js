/** Which fields of a payload Market does not read, since they are not what they should be. */

import { QUOTES } from "./events.js";

const FIGURES = [
  "price", "close", "open", "high", "low", "volume", "total_volume", "price_chg", "change_price",
  "avg_price", "average_price", "underlying_price", "bid_side_total_vol", "ask_side_total_vol",
  "reference", "limit_up", "limit_down", "unit", "strike_price",
];
const LISTS = ["bid_price", "ask_price", "bid_volume", "ask_volume"];
const TEXTS = ["code", "name", "target_code", "delivery_date", "datetime", "timestamp"];

const isText = (value) => typeof value === "string";
const isFigure = (value) =>
  typeof value === "number" || (isText(value) && value !== "" && Number.isFinite(Number(value)));
const isList = (value) => Array.isArray(value) && value.every(isFigure);
const KINDS = [[FIGURES, isFigure], [LISTS, isList], [TEXTS, isText]];

/** The names of those fields in the event `name` with the argument `value`. */
export function unread(name, value) {
  if (!QUOTES.includes(name) || typeof value !== "object" || value === null) return [];
  return KINDS.flatMap(([fields, isRight]) =>
    fields.filter((field) => (value[field] ?? null) !== null && !isRight(value[field])));
}
