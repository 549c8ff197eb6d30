/** The list of codes: which there are, in which order, and what keys and the pointer do. */

import { byId } from "../ui/dom.js";
import { inNextFrame } from "../ui/frame.js";
import { onLanguage } from "../ui/i18n.js";
import { dragRows } from "./drag.js";
import { Rows } from "./rows.js";

const SETTLES = 2000; // milliseconds after the pointer has left until rows take new places

export class List {
  #known = new Set(); // instruments
  #order = []; // as shown
  #rows;
  #body = byId("quotes-body");
  #chosen = null;
  #isHeld = false; // somebody points at it: rows keep their places
  #settle;
  #groups;
  #isShown;
  #on;

  /**
   * `isShown(instrument)`: the filter's opinion; `on` hears `chosen(instrument, isSmall)`, `arranged(count)`
   * and `sketched(instrument)` of each whose small line is in view.
   */
  constructor(groups, isShown, on) {
    this.#groups = groups;
    this.#isShown = isShown;
    this.#on = on;
    this.#rows = new Rows(on.sketched);
    this.#body.addEventListener("click", ({ target }) => this.#clicked(target));
    this.#body.addEventListener("keydown", (event) => this.#pressed(event));
    for (const [enter, leave] of [["pointerenter", "pointerleave"], ["focusin", "focusout"]]) {
      this.#body.addEventListener(enter, () => this.#hold());
      this.#body.addEventListener(leave, () => this.#release());
    }
    dragRows(this.#body, () => groups.isFree, (row, other) => this.#move(row.instrument, other.instrument));
    for (const button of document.querySelectorAll("[data-sort]")) {
      button.addEventListener("click", () => {
        groups.sortBy(button.dataset.sort);
        this.rearrange();
      });
    }
    setInterval(() => this.#arrange(), SETTLES);
    onLanguage(() => {
      for (const instrument of this.#known) this.#rows.changed(instrument);
      this.#rows.grow();
      this.rearrange();
    });
    this.rearrange();
  }

  /** Something about `instrument` is new. */
  changed(instrument) {
    if (!this.#known.has(instrument)) {
      this.#known.add(instrument);
      inNextFrame(this.#met);
    }
    this.#rows.changed(instrument);
  }

  /** `isOld(instrument)`: it is older than it should be; `isClosed(instrument)`: its market is closed. */
  age(ages) {
    this.#rows.age(ages);
  }

  /** `instrument` is shown no more. */
  remove(instrument) {
    if (!this.#known.delete(instrument)) return;
    this.#rows.remove(instrument);
    if (this.#chosen === instrument) this.#chosen = null;
    this.rearrange();
  }

  /** No code is shown any more. */
  clear() {
    this.#known.clear();
    this.#rows.clear();
    this.#chosen = null;
    this.rearrange();
  }

  /** The code at the top. */
  get first() {
    return this.#order[0];
  }

  /** Mark `instrument` as the chosen one. */
  choose(instrument) {
    this.#chosen = instrument;
    this.#rows.choose(instrument);
  }

  /** The instrument `steps` below the chosen one. */
  beside(steps) {
    const at = this.#order.indexOf(this.#chosen);
    return this.#order[Math.min(Math.max(at + steps, 0), this.#order.length - 1)];
  }

  /** Put the rows in order now, wherever the pointer is. */
  rearrange() {
    this.#sortHeads();
    this.#arrange(true);
  }

  // -- order ----------------------------------------------------------------------------

  #met = () => this.#arrange();

  #sortHeads() {
    const [column, order] = this.#groups.sort;
    for (const button of document.querySelectorAll("[data-sort]")) {
      const head = button.closest("th");
      if (button.dataset.sort === column && order) head.setAttribute("aria-sort", order);
      else head.removeAttribute("aria-sort");
    }
  }

  #hold() {
    this.#isHeld = true;
    clearTimeout(this.#settle);
  }

  #release() {
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => {
      this.#isHeld = this.#body.matches(":hover") || this.#body.contains(document.activeElement);
      this.#arrange();
    }, SETTLES);
  }

  #arrange(isForced = false) {
    const { chosen } = this.#groups;
    const order = [...this.#known].filter((each) => this.#groups.isIn(chosen, each) && this.#isShown(each));
    const places = this.#isHeld && !isForced ? new Map(this.#order.map((each, i) => [each, i])) : null;
    const place = (instrument) => places.get(instrument) ?? Infinity;
    order.sort((a, b) =>
      (places && place(a) !== place(b) && place(a) - place(b)) || this.#groups.compare(a, b));
    const isSame = order.length === this.#order.length && order.every((each, i) => each === this.#order[i]);
    if (isSame && !isForced) return;
    this.#order = order;
    this.#rows.show(order, isForced);
    if (!isSame) this.#on.arranged(order.length);
  }

  #move(instrument, other) {
    if (this.#groups.move(instrument, other)) this.rearrange();
  }

  // -- choosing -------------------------------------------------------------------------

  #clicked(target) {
    const row = target.closest("tr")?.row;
    if (row) this.#on.chosen(row.instrument, false);
  }

  #pressed(event) {
    const at = this.#order.indexOf(event.target.closest("tr")?.row.instrument);
    const last = this.#order.length - 1;
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    if (event.altKey) { // its place in a list of one's own
      this.#move(this.#order[at], this.#order[to]);
      return;
    }
    const instrument = this.#order[Math.min(Math.max(to, 0), last)];
    this.#on.chosen(instrument, true);
    this.#rows.focus(instrument);
  }
}
