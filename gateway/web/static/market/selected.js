/** The chosen code: its figures, its chart, its five best bids and offers. */

import { Chart } from "../chart/chart.js";
import { byId, mark, Text } from "../ui/dom.js";
import { Depth } from "./depth.js";
import { duration, NONE, number } from "../ui/format.js";
import { inNextFrame } from "../ui/frame.js";
import { onLanguage, t } from "../ui/i18n.js";
import { changeTexts, direction, subtitle } from "./row.js";
import { browser } from "../ui/store.js";
import { onTheme } from "../ui/theme.js";

const FIGURES = ["open", "high", "low", "volume"];

export class Selected {
  #instrument = null;
  #canvas = byId("chart");
  #chart = new Chart(this.#canvas);
  #depth = new Depth();
  #candles = browser.get("chart") !== "line";
  #at = -1; // the bar pointed at
  #texts = new Map(
    ["code", "name", "price", "change", ...FIGURES, "basis", "readout"].map((name) => [
      name,
      new Text(byId(`selected-${name}`)),
    ]),
  );

  constructor() {
    new ResizeObserver(([{ contentRect }]) => {
      this.#chart.resize(contentRect.width, contentRect.height);
      this.#paint();
    }).observe(this.#canvas.parentElement);
    for (const kind of ["candles", "line"]) {
      byId(`chart-${kind}`).addEventListener("click", () => {
        browser.set("chart", kind);
        this.#style(kind);
      });
    }
    this.#canvas.addEventListener("pointermove", ({ offsetX }) => {
      if (this.#instrument) this.#point(this.#chart.barAt(this.#instrument.ticks, offsetX));
    });
    this.#canvas.addEventListener("pointerleave", () => this.#point(-1));
    this.#canvas.addEventListener("keydown", (event) => this.#pressed(event));
    this.#canvas.addEventListener("blur", () => this.#point(-1));
    onTheme(this.#paint);
    onLanguage(this.#paint);
    this.#style(this.#candles ? "candles" : "line");
  }

  /** Show `instrument`. */
  show(instrument) {
    this.#instrument = instrument;
    this.#at = -1;
    byId("selected").dataset.shown = "yes";
    this.#paint();
  }

  /** Something about `instrument` is new. */
  changed(instrument) {
    if (instrument === this.#instrument) inNextFrame(this.#paint);
  }

  #paint = () => {
    const instrument = this.#instrument;
    if (!instrument) {
      this.#write("code", t("chart.title"));
      return;
    }
    const { digits, ticks, reference } = instrument;
    const figure = (value, decimals = digits) =>
      Number.isFinite(value) ? number(value, decimals) : NONE;
    this.#write("code", instrument.code);
    this.#write("name", subtitle(instrument));
    this.#write("price", figure(instrument.shown));
    mark(byId("selected-quote"), "trial", instrument.isTrial ? "yes" : "");
    this.#write("change", changeTexts(instrument).join(" "));
    mark(byId("selected-quote"), "move", direction(instrument.change));
    for (const name of FIGURES) {
      this.#write(name, figure(instrument[name], name === "volume" ? 0 : digits));
    }
    this.#write("basis", instrument.sinceOpen ? t("chart.sinceOpen") : t("chart.sinceClose"));
    this.#write("readout", this.#readout());
    this.#chart.draw({ series: ticks, reference, digits, candles: this.#candles, at: this.#at });
    this.#depth.show(instrument);
  };

  #write(name, text) {
    this.#texts.get(name).set(text);
  }

  /** The bar pointed at, in words; else what the bars are. */
  #readout() {
    const { ticks, digits } = this.#instrument;
    if (!ticks.length) return t("chart.empty");
    if (this.#at < 0) return t("chart.bars", { step: duration(ticks.step) });
    const values = { time: new Date(ticks.time[this.#at] * 1000).toLocaleTimeString("en-GB") };
    for (const name of ["open", "high", "low", "close"]) {
      values[name] = number(ticks[name][this.#at], digits);
    }
    values.volume = number(ticks.volume[this.#at]);
    return t("chart.bar", values);
  }

  #point(at) {
    if (at === this.#at) return;
    this.#at = at;
    inNextFrame(this.#paint);
  }

  #pressed(event) {
    const last = (this.#instrument?.ticks.length ?? 0) - 1;
    const from = this.#at < 0 ? last + 1 : this.#at;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") this.#point(-1);
    if (to === undefined || last < 0) return;
    event.preventDefault();
    this.#point(Math.min(Math.max(to, 0), last));
  }

  #style(kind) {
    this.#candles = kind === "candles";
    for (const each of ["candles", "line"]) {
      byId(`chart-${each}`).setAttribute("aria-pressed", String(each === kind));
    }
    this.#paint();
  }
}
