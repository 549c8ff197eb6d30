/** The tools above the chart: the length of a bar, candles or line, night and day, averages. */

import { INTERVALS } from "../model/history.js";
import { byId, element } from "../ui/dom.js";
import { onLanguage, t } from "../ui/i18n.js";
import { onKey } from "../ui/keys.js";
import { browser } from "../ui/store.js";

const USUAL = "1m";

export class Tools {
  #names = Object.keys(INTERVALS);
  #changed;

  /** `changed(name)`: one of `interval`, `kind`, `span`, `averages` is another one. */
  constructor(changed) {
    this.#changed = changed;
    for (const [i, name] of this.#names.entries()) {
      const button = element("button", { type: "button" });
      button.dataset.interval = name;
      button.addEventListener("click", () => this.#choose("interval", name));
      byId("intervals").append(button);
      onKey(String(i + 1), () => this.#choose("interval", name));
    }
    for (const [box, key] of [["kinds", "kind"], ["spans", "span"]]) {
      for (const button of byId(box).children) {
        button.addEventListener("click", () => this.#choose(key, button.dataset[key]));
      }
    }
    const averages = () => this.#choose("averages", this.averages ? "off" : "on");
    byId("averages").addEventListener("click", averages);
    onKey("a", averages);
    onKey("l", () => this.#choose("kind", this.isLine ? "candles" : "line"));
    onLanguage(() => this.#write());
    this.#write();
  }

  get interval() {
    const chosen = browser.get("interval");
    return this.#names.includes(chosen) ? chosen : USUAL;
  }

  /** What the address says. */
  set interval(name) {
    if (!this.#names.includes(name)) return;
    browser.set("interval", name);
    this.#write();
  }

  /** Whether the market has a night to be left out. */
  set hasNight(yes) {
    if (!yes && byId("spans").contains(document.activeElement)) byId("chart").focus();
    byId("spans").hidden = !yes;
  }

  get isLine() {
    return browser.get("kind") === "line";
  }

  /** "day": the night is left out; "". */
  get span() {
    return browser.get("span") === "day" ? "day" : "";
  }

  get averages() {
    return browser.get("averages") === "on";
  }

  #choose(name, value) {
    browser.set(name, value);
    this.#write();
    this.#changed(name);
  }

  #write() {
    const press = (box, key, value) => {
      for (const button of byId(box).children) {
        button.setAttribute("aria-pressed", String(button.dataset[key] === value));
      }
    };
    for (const button of byId("intervals").children) {
      button.textContent = t(`interval.${button.dataset.interval}`);
    }
    press("intervals", "interval", this.isLine ? USUAL : this.interval);
    press("kinds", "kind", this.isLine ? "line" : "candles");
    press("spans", "span", this.span);
    for (const button of byId("intervals").children) button.disabled = this.isLine;
    byId("averages").setAttribute("aria-pressed", String(this.averages));
    byId("averages").disabled = this.isLine;
  }
}
