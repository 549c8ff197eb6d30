/** One row of the list of codes. */

import { element, mark, Text } from "../ui/dom.js";
import { age, NONE, volumeText } from "../ui/format.js";
import { language, t } from "../ui/i18n.js";
import { colors } from "../ui/theme.js";
import { canvas, draw } from "./sparkline.js";
import { figures } from "./widths.js";
import { changeTexts, closeText, direction, limitText, LONGEST, priceText, titles } from "./words.js";

const LIMITS = new Map([[1, "up"], [-1, "down"]]);

export class Row {
  isSeen = true; // in view, or nearly
  #first = element("span");
  #second = element("span");
  #label = element("i", { className: "label", hidden: true });
  #aged = element("i", { className: "aged beside" }); // where there is no column of volumes
  #priceCell = element("td", { role: "cell", className: "figure price moves" });
  #price = element("span", { className: "limits tries" });
  #change = element("b", { className: "arrow" });
  #percent = element("span", { className: "percent" });
  #volumeCell = element("td", { role: "cell", className: "figure volume" });
  #canvas = canvas();
  #shown = NaN;
  #isOld = false;
  #isClosed = false;
  #texts;

  constructor(instrument) {
    this.instrument = instrument;
    this.button = element("button", { type: "button", tabIndex: -1 },
      element("span", { className: "first" }, this.#first),
      element("span", { className: "second" }, this.#second, this.#label, this.#aged));
    this.#priceCell.append(this.#price);
    this.line = element("tr", { role: "row", draggable: true },
      element("th", { scope: "row", role: "rowheader" }, this.button),
      this.#priceCell,
      element("td", { role: "cell", className: "figure change moves" }, this.#change, this.#percent),
      element("td", { role: "cell", className: "trend" }, this.#canvas), this.#volumeCell);
    const nodes = [this.#first, this.#second, this.#label, this.#price, this.#change,
      this.#percent, this.#volumeCell, this.#aged];
    const names = ["first", "second", "label", "price", "change", "percent", "volume", "aged"];
    this.#texts = Object.fromEntries(names.map((name, i) => [name, new Text(nodes[i])]));
  }

  /** Write what is new; whether the price is another one. */
  update(now) {
    const { instrument } = this;
    const texts = this.#texts;
    const [first, second] = titles(instrument);
    texts.first.set(first);
    texts.second.set(second);
    this.line.title = first.includes("…") || second.includes("…") ? instrument.code : "";
    if (instrument.isFeed) return this.#feed(now);
    const { shown, isTrial, limit } = instrument;
    texts.price.set(priceText(shown, instrument));
    const [change, percent] = changeTexts(instrument);
    texts.change.set(change);
    texts.percent.set(percent);
    mark(this.line, "move", direction(instrument.change));
    mark(this.line, "trial", isTrial ? "yes" : "");
    mark(this.line, "limit", LIMITS.get(limit) ?? "");
    this.#tell();
    this.grow(now);
    const moved = shown !== this.#shown && Number.isFinite(this.#shown);
    this.#shown = shown;
    return moved;
  }

  /** Write what time alone changes: how old it is, if it is older than it should be. */
  grow(now) {
    const { instrument } = this;
    if (instrument.isFeed) return this.#feed(now);
    const isAged = this.#isOld && instrument.at > 0;
    const ago = isAged ? t("quotes.ago", { age: age((now - instrument.at) / 1000) }) : "";
    this.#texts.aged.set(ago);
    this.#texts.volume.set(ago || (instrument.isTrial ? NONE : volumeText(instrument.volume)));
    this.#volumeCell.classList.toggle("aged", isAged);
    return false;
  }

  /** Say whether its price is older than it should be, and whether its market is closed; whether it was otherwise. */
  age(isOld, isClosed) {
    if (isOld === this.#isOld && isClosed === this.#isClosed) return false;
    this.#isOld = isOld;
    this.#isClosed = isClosed;
    mark(this.line, "old", isOld ? "yes" : "");
    if (!this.instrument.isFeed) this.#tell();
    this.grow(Date.now());
    return true;
  }

  /** How long texts are by column, in figures of the usual size: letters are wider, the second line smaller. */
  get lengths() {
    const { price, change, percent, volume } = this.#texts;
    return {
      code: Math.min(this.instrument.code.length, LONGEST) * (language() === "en" ? 1.12 : 0.95),
      price: figures(price.text),
      change: Math.max(figures(change.text) + 1, figures(percent.text) - 0.5),
      volume: figures(volume.text),
    };
  }

  /** Light up the price, or no more. */
  flash(yes) {
    mark(this.#priceCell, "flash", yes ? direction(this.instrument.moved) : "");
  }

  sketch() {
    const { sketch, reference, change } = this.instrument;
    const move = direction(change);
    const color = (this.#isOld && colors[`${move}-old`]) || colors[move];
    draw(this.#canvas, sketch, reference, color, colors.line);
  }

  /** Events without a code or a price. */
  #feed(now) {
    this.#texts.price.set(NONE);
    this.#texts.change.set("");
    this.#texts.percent.set("");
    this.#say("custom", t("label.custom"));
    this.#texts.volume.set(age((now - this.instrument.at) / 1000));
    return false;
  }

  /** What has to be known of its price besides. */
  #tell() {
    const { isTrial, limit, sinceOpen, change, price } = this.instrument;
    if (isTrial) this.#say("trial", t("label.trial"));
    else if (limit) this.#say("limit", limitText(limit));
    else if (this.#isClosed && Number.isFinite(price)) this.#say("close", closeText(this.instrument));
    else if (sinceOpen && Number.isFinite(change)) this.#say("open", t("chart.sinceOpen"));
    else this.#say("", "");
  }

  #say(kind, text) {
    this.#label.hidden = !kind;
    mark(this.#label, "kind", kind);
    this.#texts.label.set(text);
  }
}
