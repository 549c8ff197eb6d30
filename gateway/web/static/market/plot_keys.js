/** What keys do in the chart: they go from bar to bar, and from alarm to alarm; both are read out. */

import { byId } from "../ui/dom.js";

const SAID = 250; // milliseconds after the last key until it is read out
const MANY = 10; // bars that an arrow with Shift goes
const WIDER = 1.25, PART = 0.25; // of a step: of the pitch, of what is in view

export class PlotKeys {
  #chart;
  #on;
  #timer;

  /**
   * `on` has `bars()` (how many), `at()` (the one pointed at, -1: none), `said(i)` (a bar as text),
   * `line(line)` (an alarm as text), `moved(id, price)` and `removed(id)` of an alarm, `tick()`.
   */
  constructor(box, chart, on) {
    this.#chart = chart;
    this.#on = on;
    box.addEventListener("keydown", (event) => {
      const isKnown = !event.ctrlKey && !event.metaKey && on.bars() > 0 && this.#pressed(event);
      if (isKnown) event.preventDefault();
    });
    box.addEventListener("focusout", ({ relatedTarget }) => {
      if (box.contains(relatedTarget)) return; // its own button
      chart.point(-1);
      chart.chooseLine(null);
    });
  }

  /** Do what a key is for; whether it is for anything. */
  #pressed({ key, altKey, shiftKey }) {
    const chart = this.#chart;
    if (altKey) {
      const way = { ArrowLeft: -PART, ArrowRight: PART }[key];
      if (way) chart.pan(way);
      return Boolean(way);
    }
    const last = this.#on.bars() - 1;
    const from = this.#on.at() < 0 ? last + 1 : this.#on.at();
    const many = shiftKey ? MANY : 1;
    const to = { ArrowLeft: from - many, ArrowRight: from + many, Home: chart.span[0], End: last }[key];
    if (to !== undefined) return this.#aim(Math.min(Math.max(to, 0), last));
    const way = { ArrowUp: 1, ArrowDown: -1 }[key];
    if (way) return this.#line(way, shiftKey);
    if (key === "Delete" || key === "Backspace") return this.#remove();
    if (key === "+" || key === "=") chart.zoom(WIDER);
    else if (key === "-") chart.zoom(1 / WIDER);
    else if (key === "Escape") {
      chart.point(-1);
      chart.chooseLine(null);
    } else return false;
    return true;
  }

  #aim(i) {
    this.#chart.point(i, true);
    this.#say(() => this.#on.said(i));
    return true;
  }

  /** Choose the next alarm, or move the chosen one by a step of the price. */
  #line(way, isMove) {
    const chosen = this.#chosen;
    if (!isMove) {
      const next = this.#chart.nextLine(way);
      if (!next) return false;
      this.#chart.chooseLine(next.id);
      this.#say(() => this.#on.line(next));
      return true;
    }
    if (!chosen) return false;
    this.#on.moved(chosen.id, chosen.price + way * this.#on.tick());
    this.#say(() => (this.#chosen ? this.#on.line(this.#chosen) : ""));
    return true;
  }

  #remove() {
    const chosen = this.#chosen;
    if (chosen) this.#on.removed(chosen.id);
    return Boolean(chosen);
  }

  get #chosen() {
    return this.#chart.lines.find(({ isChosen }) => isChosen);
  }

  #say(text) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => { byId("readout").textContent = text(); }, SAID);
  }
}
