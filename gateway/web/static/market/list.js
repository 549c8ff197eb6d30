/** The list of codes: which rows there are, in which order, and when each is written. */

import { byId } from "../ui/dom.js";
import { inNextFrame } from "../ui/frame.js";
import { onLanguage } from "../ui/i18n.js";
import { onTheme } from "../ui/theme.js";
import { Columns } from "./columns.js";
import { dragRows } from "./drag.js";
import { Row } from "./row.js";

const SKETCHES = 8; // sparklines drawn in one frame
const FLASH = 350; // milliseconds
const FLASHES = 333; // milliseconds from one flash of a row to its next: three a second at most
const SETTLES = 2000; // milliseconds after the pointer has left until rows take new places

export class List {
  #rows = new Map(); // instrument -> row
  #order = []; // as shown
  #dirty = new Set();
  #sketches = new Set();
  #flashing = new Map(); // row -> until when
  #columns = new Columns(() => this.#sketchAll());
  #body = byId("quotes-body");
  #selected = null;
  #isHeld = false; // somebody points at it: rows keep their places
  #settle;
  #groups;
  #isShown;
  #on;
  #ages = { isOld: () => false, isClosed: () => false };
  #seen;

  /**
   * `isShown(instrument)`: the filter's opinion; `on` hears `chosen(instrument, isSmall)`, `arranged(count)`
   * and `sketched(instrument)` of each whose small line is in view.
   */
  constructor(groups, isShown, on) {
    this.#groups = groups;
    this.#isShown = isShown;
    this.#on = on;
    const root = byId("quotes-scroll");
    this.#seen = new IntersectionObserver((entries) => this.#look(entries), {
      root,
      rootMargin: "200px",
    });
    this.#body.addEventListener("click", ({ target }) => this.#clicked(target));
    this.#body.addEventListener("keydown", (event) => this.#pressed(event));
    for (const [enter, leave] of [["pointerenter", "pointerleave"], ["focusin", "focusout"]]) {
      this.#body.addEventListener(enter, () => this.#hold());
      this.#body.addEventListener(leave, () => this.#release());
    }
    dragRows(this.#body, () => groups.isFree, (row, other) => this.#move(row, other));
    for (const button of document.querySelectorAll("[data-sort]")) {
      button.addEventListener("click", () => {
        groups.sortBy(button.dataset.sort);
        this.rearrange();
      });
    }
    setInterval(() => this.#grow(), 1000);
    setInterval(() => this.#arrange(), SETTLES);
    onTheme(() => this.#sketchAll());
    onLanguage(() => {
      for (const instrument of this.#rows.keys()) this.changed(instrument);
      this.#grow();
      this.rearrange();
    });
    this.rearrange();
  }

  /** Something about `instrument` is new. */
  changed(instrument) {
    this.#dirty.add(instrument);
    inNextFrame(this.#paint);
  }

  /** `isOld(instrument)`: it is older than it should be; `isClosed(instrument)`: its market is closed. */
  age(ages) {
    this.#ages = ages;
    for (const row of this.#rows.values()) this.#age(row);
  }

  #age(row) {
    const { isOld, isClosed } = this.#ages;
    const isOther = row.age(isOld(row.instrument), isClosed(row.instrument));
    if (!isOther || !row.isSeen || !this.#columns.hasTrend) return;
    this.#sketches.add(row); // in the colors of what is old, or no more
    inNextFrame(this.#paint);
  }

  /** `instrument` is shown no more. */
  remove(instrument) {
    this.#dirty.delete(instrument);
    const row = this.#rows.get(instrument);
    if (!row) return;
    this.#rows.delete(instrument);
    this.#seen.unobserve(row.line);
    this.#sketches.delete(row);
    this.#flashing.delete(row);
    if (this.#selected === row) this.#selected = null;
    this.rearrange();
  }

  /** No code is shown any more. */
  clear() {
    this.#seen.disconnect();
    for (const kept of [this.#rows, this.#dirty, this.#sketches, this.#flashing]) kept.clear();
    this.#selected = null;
    this.rearrange();
  }

  /** The code at the top. */
  get first() {
    return this.#order[0]?.instrument;
  }

  /** Mark `instrument` as the chosen one. */
  choose(instrument) {
    const row = this.#rows.get(instrument);
    if (row === this.#selected) return;
    if (this.#selected) {
      this.#selected.button.tabIndex = -1;
      this.#selected.line.removeAttribute("aria-current");
    }
    this.#selected = row ?? null;
    row?.line.setAttribute("aria-current", "true");
    this.#rove();
  }

  /** The instrument `steps` below the chosen one. */
  beside(steps) {
    const at = this.#order.indexOf(this.#selected);
    return this.#order[Math.min(Math.max(at + steps, 0), this.#order.length - 1)]?.instrument;
  }

  /** Put the rows in order now, wherever the pointer is. */
  rearrange() {
    this.#sortHeads();
    this.#arrange(true);
  }

  // -- painting -------------------------------------------------------------------------

  #paint = () => {
    const now = Date.now();
    let isNew = false;
    for (const instrument of this.#dirty) {
      let row = this.#rows.get(instrument);
      if (!row) {
        row = this.#add(instrument);
        isNew = true;
      }
      if (row.isSeen) this.#write(row, now);
    }
    this.#dirty.clear();
    if (isNew) this.#arrange();
    this.#dim(now);
    this.#sketchSome();
    if (this.#sketches.size || this.#flashing.size) inNextFrame(this.#paint);
  };

  #add(instrument) {
    const row = new Row(instrument);
    this.#rows.set(instrument, row);
    this.#age(row);
    row.line.row = row;
    this.#seen.observe(row.line);
    return row;
  }

  #write(row, now) {
    if (row.update(now) && !(this.#flashing.get(row) > now + FLASH - FLASHES)) {
      row.flash(true);
      this.#flashing.set(row, now + FLASH);
    }
    if (this.#columns.hasTrend) {
      this.#sketches.add(row);
      this.#on.sketched(row.instrument);
    }
    this.#columns.fit(row);
  }

  #dim(now) {
    for (const [row, until] of this.#flashing) {
      if (until > now) continue;
      row.flash(false);
      this.#flashing.delete(row);
    }
  }

  #sketchSome() {
    let left = SKETCHES;
    for (const row of this.#sketches) {
      if (!left--) break;
      this.#sketches.delete(row);
      row.sketch();
    }
  }

  #sketchAll() {
    for (const row of this.#rows.values()) {
      if (!row.isSeen || !this.#columns.hasTrend) continue;
      this.#sketches.add(row);
      this.#on.sketched(row.instrument);
    }
    inNextFrame(this.#paint);
  }

  #look(entries) {
    const now = Date.now();
    for (const { target, isIntersecting } of entries) {
      const { row } = target;
      if (isIntersecting && !row.isSeen) this.#write(row, now);
      row.isSeen = isIntersecting;
    }
    if (this.#sketches.size) inNextFrame(this.#paint);
  }

  #grow() {
    const now = Date.now();
    for (const row of this.#rows.values()) if (row.isSeen) row.grow(now);
  }

  // -- order ----------------------------------------------------------------------------

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
    const rows = [...this.#rows.values()].filter(
      ({ instrument }) => this.#groups.isIn(chosen, instrument) && this.#isShown(instrument),
    );
    const places = this.#isHeld && !isForced ? new Map(this.#order.map((row, i) => [row, i])) : null;
    const place = (row) => places.get(row) ?? Infinity;
    rows.sort((a, b) =>
      (places && place(a) !== place(b) && place(a) - place(b)) ||
      this.#groups.compare(a.instrument, b.instrument));
    if (isForced) this.#columns.reset(rows);
    if (rows.length === this.#order.length && rows.every((row, i) => row === this.#order[i])) return;
    const focused = document.activeElement;
    this.#body.replaceChildren(...rows.map(({ line }) => line));
    if (this.#body.contains(focused)) focused.focus({ preventScroll: true });
    this.#order = rows;
    this.#rove();
    this.#on.arranged(rows.length);
  }

  /** One row can be reached with Tab: the chosen one, or the first. */
  #rove() {
    const stop = this.#order.includes(this.#selected) ? this.#selected : this.#order[0];
    for (const row of this.#order) row.button.tabIndex = row === stop ? 0 : -1;
  }

  #move(row, other) {
    if (this.#groups.move(row.instrument, other?.instrument)) this.rearrange();
  }

  // -- choosing -------------------------------------------------------------------------

  #clicked(target) {
    const row = target.closest("tr")?.row;
    if (row) this.#on.chosen(row.instrument, false);
  }

  #pressed(event) {
    const at = this.#order.indexOf(event.target.closest("tr")?.row);
    const last = this.#order.length - 1;
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    if (event.altKey) { // its place in a list of one's own
      this.#move(this.#order[at], this.#order[to]);
      return;
    }
    const row = this.#order[Math.min(Math.max(to, 0), last)];
    this.#on.chosen(row.instrument, true);
    row.button.focus();
  }
}
