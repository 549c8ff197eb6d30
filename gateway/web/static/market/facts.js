/** Facts about the chosen code: those without data are left out, and the next move up. */

import { isSpread } from "../model/codes.js";
import { byId, element, mark, Text } from "../ui/dom.js";
import { figureText, signed, volumeText } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";
import { against, direction, priceText } from "./words.js";

const MOST = 8;

/** By name: the text, "" where nothing is known; and the direction of its color. */
const FACTS = {
  reference: (it) => !it.sinceOpen && [priceText(it.reference, it)],
  range: ({ high, low, reference, code }) =>
    !isSpread(code) && reference && [`${figureText(((high - low) / Math.abs(reference)) * 100, 2)}%`],
  limitUp: (it) => [priceText(it.limitUp, it), against(it.limitUp, it)],
  limitDown: (it) => [priceText(it.limitDown, it), against(it.limitDown, it)],
  volume: ({ volume }) => [volumeText(volume)],
  spot: ({ spot }) => spot > 0 && [figureText(spot, 2)],
  basis: ({ spot, price, option }) =>
    spot > 0 && !option && [signed(price - spot, 2), direction(price - spot)],
  spread: (it) => {
    const [bid, ask] = ["bid", "ask"].map((side) => best(it.depth, side));
    return ask >= bid && [priceText(ask - bid, it)];
  },
  tick: (it) => it.tick() > 0 && [figureText(it.tick(), it.digits)],
  expiry: ({ expiry }) => /^\d{4}.\d\d.\d\d$/.test(expiry) && [expiry.slice(5).replace("-", "/")],
};

/** The best price of a side; NaN where nobody is on it, which exchanges tell as 0 of 0. */
const best = (depth, side) => (depth?.[`${side}_volume`]?.[0] > 0 ? Number(depth[`${side}_price`]?.[0]) : NaN);

export class Facts {
  #instrument = null;
  #shown = "";
  #lines = [];
  #list = byId("facts-list");

  constructor() {
    onLanguage(() => {
      this.#shown = "";
      this.write();
    });
  }

  show(instrument) {
    this.#instrument = instrument;
    this.write();
  }

  write() {
    const found = this.#instrument ? this.#found() : [];
    const names = found.map(([name]) => name).join();
    if (names !== this.#shown) {
      this.#shown = names;
      this.#lines = found.map(([name]) => {
        const value = element("dd");
        const line = element("div", {}, element("dt", { textContent: t(`fact.${name}`) }), value);
        return { line, value, text: new Text(value) };
      });
      this.#list.replaceChildren(...this.#lines.map(({ line }) => line));
    }
    found.forEach(([, text, move], i) => {
      this.#lines[i].text.set(text);
      mark(this.#lines[i].value, "move", move);
    });
  }

  #found() {
    return Object.entries(FACTS)
      .map(([name, fact]) => [name, ...(fact(this.#instrument) || [""])])
      .filter(([, text]) => /\d/.test(text ?? ""))
      .map(([name, text, move = ""]) => [name, text, move])
      .slice(0, MOST);
  }
}
