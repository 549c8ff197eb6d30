/** The chosen code: its name, price, change, and the figures of its session. */

import { byId, mark, Text } from "../ui/dom.js";
import { age, figureText } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";
import { against, changeTexts, closeText, direction, limitText, longTitles, priceText } from "./words.js";

const FIGURES = ["open", "high", "low", "average"];
const LONG = 9; // characters of a price above which its letters are smaller

export class Head {
  #instrument = null;
  #box = byId("selected");
  #price = byId("selected-price");
  #isOld = false;
  #isClosed = false;
  #texts = new Map(
    ["first", "second", "price", "change", "percent", "mark", ...FIGURES]
      .map((name) => [name, new Text(byId(`selected-${name}`))]),
  );

  constructor() {
    onLanguage(() => this.write());
    setInterval(() => this.write(), 1000);
    this.write();
  }

  /** Show `instrument`. */
  show(instrument) {
    this.#instrument = instrument;
    this.write();
  }

  /** Whether its price is older than it should be, and whether its market is closed. */
  state(isOld, isClosed) {
    this.#isOld = isOld;
    this.#isClosed = isClosed;
    this.write();
  }

  /** Write what is so at this moment. */
  write() {
    const instrument = this.#instrument;
    byId("selected-quote").hidden = !instrument;
    for (const id of ["star", "bell"]) byId(id).hidden = !instrument;
    if (!instrument) {
      for (const text of this.#texts.values()) text.set("");
      this.#texts.get("first").set(t("chart.choose"));
      byId("selected-mark").hidden = true;
      return;
    }
    const [first, second] = longTitles(instrument);
    this.#texts.get("first").set(first);
    this.#texts.get("second").set(second);
    const price = priceText(instrument.shown, instrument);
    this.#texts.get("price").set(price);
    mark(this.#price, "long", price.length > LONG ? "yes" : "");
    const [change, percent] = changeTexts(instrument);
    this.#texts.get("change").set(change);
    this.#texts.get("percent").set([percent, instrument.sinceOpen ? t("chart.sinceOpen") : ""].join(" "));
    const quote = byId("selected-quote");
    mark(quote, "move", direction(instrument.change));
    mark(quote, "trial", instrument.isTrial ? "yes" : "");
    mark(quote, "limit", ["down", "", "up"][instrument.limit + 1]);
    for (const name of FIGURES) {
      const value = instrument[name];
      const text = name === "average" ? figureText(value, Math.min(4, instrument.digits + 1))
        : priceText(value, instrument);
      this.#texts.get(name).set(text);
      mark(byId(`selected-${name}`), "move", against(value, instrument));
    }
    this.#mark(instrument);
  }

  #mark(instrument) {
    const { isTrial, at, limit } = instrument;
    const ago = this.#isOld && at ? `◷ ${t("ago", { age: age((Date.now() - at) / 1000) })}` : "";
    const word = isTrial ? t("label.trial") : limit ? limitText(limit) : "";
    const text = ago || word || (this.#isClosed ? closeText(instrument) : "");
    byId("selected-mark").hidden = !text;
    this.#texts.get("mark").set(text);
    mark(this.#box, "old", this.#isOld ? "yes" : "");
  }
}
