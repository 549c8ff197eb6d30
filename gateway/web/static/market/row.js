/** One row of the table of codes. */

import { element, mark, Text } from "../ui/dom.js";
import { age, NONE, number, signed } from "../ui/format.js";
import { t } from "../ui/i18n.js";
import { canvas, draw } from "./sparkline.js";
import { colors } from "../ui/theme.js";

const DIRECTIONS = new Map([[1, "up"], [-1, "down"], [0, "flat"]]);

/** "up", "down" or "flat"; what is no number is flat. */
export const direction = (value) => DIRECTIONS.get(Math.sign(value)) ?? "flat";

/** The change of an instrument as a price and in percent. */
export function changeTexts({ change, percent, digits }) {
  if (!Number.isFinite(change)) return [NONE, ""];
  return [signed(change, digits), Number.isFinite(percent) ? `${signed(percent, 2)}%` : ""];
}

/** Its name, the code under which it trades, and whether it is a trial match. */
export function subtitle({ name, target, isTrial }) {
  return [isTrial && t("quotes.trial"), name, target].filter(Boolean).join(" · ");
}

export class Row {
  isSeen = true; // in view, or nearly
  #name;
  #price;
  #priceCell = element("td", { className: "price" });
  #change;
  #percent;
  #age;
  #ageCell = element("td", { className: "age" });
  #canvas = canvas();
  #shown = NaN;

  constructor(instrument) {
    this.instrument = instrument;
    const name = element("span", { className: "name" });
    const change = element("span");
    const percent = element("span", { className: "percent" });
    this.button = element("button", { type: "button", tabIndex: -1 },
      element("span", { className: "code", textContent: instrument.code }), name);
    this.line = element("tr", {},
      element("th", { scope: "row" }, this.button),
      this.#priceCell, element("td", { className: "change" }, change, percent),
      element("td", { className: "trend" }, this.#canvas), this.#ageCell);
    this.#name = new Text(name);
    this.#price = new Text(this.#priceCell);
    this.#change = new Text(change);
    this.#percent = new Text(percent);
    this.#age = new Text(this.#ageCell);
  }

  /** Write what is new; whether the price is another one. */
  update(now) {
    const { instrument } = this;
    const { shown: price, isTrial } = instrument;
    this.#name.set(subtitle(instrument));
    mark(this.line, "trial", isTrial ? "yes" : "");
    this.#price.set(Number.isFinite(price) ? number(price, instrument.digits) : NONE);
    const [change, percent] = changeTexts(instrument);
    this.#change.set(change);
    this.#percent.set(percent);
    mark(this.line, "move", direction(instrument.change));
    this.grow(now);
    const moved = price !== this.#shown && Number.isFinite(this.#shown);
    this.#shown = price;
    return moved;
  }

  /** Write how old it is. */
  grow(now) {
    const { at } = this.instrument;
    this.#age.set(at ? age((now - at) / 1000) : NONE);
  }

  /** Say whether its market's feed is stale. */
  set isStale(yes) {
    mark(this.line, "stale", yes ? "yes" : "");
  }

  /** Light up the price, or no more. */
  flash(yes) {
    mark(this.#priceCell, "flash", yes ? direction(this.instrument.moved) : "");
  }

  sketch() {
    const { ticks, reference, change } = this.instrument;
    draw(this.#canvas, ticks, reference, colors[direction(change)], colors.line);
  }
}
