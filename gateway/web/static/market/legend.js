/** Above the chart: the bar that is pointed at, else the newest one, and the averages. */

import { AVERAGES, average } from "../chart/base.js";
import { PRICES } from "../model/bars.js";
import { byId, element, mark, Text } from "../ui/dom.js";
import { exact, figureText, signed, volumeText } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";
import { direction } from "./words.js";

export class Legend {
  #parts = new Map();
  #time;

  constructor() {
    this.#build();
    onLanguage(() => this.#build());
  }

  /** Write bar `i` of `data`; `time` is when it was. */
  write({ bars, digits, reference, averages }, i, time) {
    const isThere = i >= 0 && i < bars.length;
    this.#time.set(isThere ? time : "");
    for (const name of PRICES) {
      const value = isThere ? bars[name][i] : NaN;
      this.#put(name, Number.isFinite(value) ? exact(value, digits) : "", direction(value - reference));
    }
    this.#put("volume", isThere ? volumeText(bars.volume[i]) : "");
    mark(byId("legend"), "averages", averages ? "yes" : "");
    const percent = isThere && reference ? ((bars.close[i] - reference) / Math.abs(reference)) * 100 : NaN;
    this.#put("change", Number.isFinite(percent) ? `${signed(percent, 2)}%` : "", direction(percent));
    for (const count of AVERAGES) {
      const value = averages && isThere ? average(bars, count, i, i)[0] : NaN;
      this.#put(`average-${count}`, Number.isFinite(value) ? figureText(value, digits + 1) : "");
    }
  }

  /** The same as one text, for who listens. */
  said({ bars, digits }, i, time) {
    const values = { time, volume: volumeText(bars.volume[i]) };
    for (const name of PRICES) values[name] = exact(bars[name][i], digits);
    return t("chart.bar", values);
  }

  #build() {
    const time = element("span", { className: "muted" });
    this.#time = new Text(time);
    const parts = [...PRICES, "volume", "change"].map((name) => this.#part(name, t(`legend.${name}`)));
    for (const count of AVERAGES) {
      const made = this.#part(`average-${count}`, `MA${count}`);
      made.dataset.average = String(count);
      parts.push(made);
    }
    byId("legend").replaceChildren(time, ...parts);
  }

  #part(name, label) {
    const value = element("b");
    const part = element("span", { hidden: true }, `${label} `, value);
    this.#parts.set(name, { part, value, text: new Text(value) });
    return part;
  }

  #put(name, text, move = "") {
    const { part, value, text: node } = this.#parts.get(name);
    part.hidden = !text;
    node.set(text);
    mark(value, "move", move);
  }
}
