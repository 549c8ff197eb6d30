/** The table of codes: which rows there are, in which order, and when each is written. */

import { byId, Text } from "../ui/dom.js";
import { inNextFrame } from "../ui/frame.js";
import { onLanguage, t } from "../ui/i18n.js";
import { Row } from "./row.js";
import { onTheme } from "../ui/theme.js";

const SKETCHES = 8; // sparklines drawn in one frame
const FLASH = 350; // milliseconds
const SORT_EVERY = 2000; // milliseconds

/** Futures and options first, then stocks. */
function byCode({ instrument: a }, { instrument: b }) {
  return a.market.localeCompare(b.market) || a.code.localeCompare(b.code);
}

/** What the columns are sorted by, other than codes; the greatest comes first. */
const KEYS = {
  price: (row) => row.instrument.shown,
  change: (row) => row.instrument.percent,
  age: (row) => row.instrument.at,
};

export class Quotes {
  #rows = new Map();
  #order = []; // as shown
  #dirty = new Set();
  #sketches = new Set();
  #flashing = new Map(); // row -> until when
  #body = byId("quotes-body");
  #filter = byId("quotes-filter");
  #count = new Text(byId("quotes-count"));
  #sorted = "code";
  #selected = null;
  #select;
  #stale = new Set();
  #silent = new Set();
  #seen;

  /** `select(instrument)` is called when one is chosen. */
  constructor(select) {
    this.#select = select;
    const root = byId("quotes-scroll");
    this.#seen = new IntersectionObserver((entries) => this.#look(entries), {
      root,
      rootMargin: "200px",
    });
    this.#body.addEventListener("click", ({ target }) => this.#clicked(target));
    this.#body.addEventListener("keydown", (event) => this.#pressed(event));
    this.#filter.addEventListener("input", () => this.#arrange());
    for (const button of document.querySelectorAll("[data-sort]")) {
      button.addEventListener("click", () => this.#sortBy(button.dataset.sort));
    }
    setInterval(() => this.#grow(), 1000);
    setInterval(() => this.#sorted !== "code" && this.#arrange(), SORT_EVERY);
    onTheme(() => this.#sketchAll());
    onLanguage(() => {
      this.#grow();
      this.#arrange();
    });
    this.#arrange();
  }

  /** Something about `instrument` is new. */
  changed(instrument) {
    this.#dirty.add(instrument);
    inNextFrame(this.#paint);
  }

  /** The markets whose feed is stale, and the codes that are silent beside others. */
  stale(markets, codes) {
    this.#stale = new Set(markets);
    this.#silent = new Set(codes);
    for (const row of this.#rows.values()) row.isStale = this.#isStale(row.instrument);
  }

  #isStale({ market, code, target }) {
    return this.#stale.has(market) || this.#silent.has(code) || this.#silent.has(target);
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
    this.#arrange();
  }

  /** No code is shown any more. */
  clear() {
    this.#seen.disconnect();
    for (const kept of [this.#rows, this.#dirty, this.#sketches, this.#flashing]) kept.clear();
    this.#selected = null;
    this.#arrange();
  }

  /** The code at the top. */
  get first() {
    return this.#order[0]?.instrument;
  }

  /** Show `instrument` as the chosen one. */
  choose(instrument) {
    const row = this.#rows.get(instrument);
    if (!row || row === this.#selected) return;
    if (this.#selected) {
      this.#selected.button.tabIndex = -1;
      this.#selected.line.removeAttribute("aria-current");
    }
    this.#selected = row;
    row.button.tabIndex = 0;
    row.line.setAttribute("aria-current", "true");
    this.#select(instrument);
  }

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
    row.isStale = this.#isStale(instrument);
    row.line.row = row;
    this.#seen.observe(row.line);
    return row;
  }

  #write(row, now) {
    if (row.update(now)) {
      row.flash(true);
      this.#flashing.set(row, now + FLASH);
    }
    this.#sketches.add(row);
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
    for (const row of this.#rows.values()) if (row.isSeen) this.#sketches.add(row);
    inNextFrame(this.#paint);
  }

  #look(entries) {
    const now = Date.now();
    for (const { target, isIntersecting } of entries) {
      const { row } = target;
      if (isIntersecting && !row.isSeen) {
        row.update(now);
        this.#sketches.add(row);
      }
      row.isSeen = isIntersecting;
    }
    if (this.#sketches.size) inNextFrame(this.#paint);
  }

  #grow() {
    const now = Date.now();
    for (const row of this.#rows.values()) if (row.isSeen) row.grow(now);
  }

  // -- order ----------------------------------------------------------------------------

  #sortBy(column) {
    this.#sorted = column;
    for (const button of document.querySelectorAll("[data-sort]")) {
      const direction = column === "code" ? "ascending" : "descending";
      const header = button.closest("th");
      if (button.dataset.sort === column) header.setAttribute("aria-sort", direction);
      else header.removeAttribute("aria-sort");
    }
    this.#arrange();
  }

  #arrange() {
    const wanted = this.#filter.value.trim().toLowerCase();
    const rows = [...this.#rows.values()].filter(
      ({ instrument: { code, target, name } }) =>
        `${code} ${target} ${name}`.toLowerCase().includes(wanted),
    );
    const key = KEYS[this.#sorted];
    rows.sort(key ? (a, b) => (key(b) || 0) - (key(a) || 0) : byCode);
    if (rows.length !== this.#order.length || rows.some((row, i) => row !== this.#order[i])) {
      const focused = document.activeElement;
      this.#body.replaceChildren(...rows.map(({ line }) => line));
      if (this.#body.contains(focused)) focused.focus({ preventScroll: true });
      this.#order = rows;
    }
    this.#count.set(rows.length ? String(rows.length) : "");
    byId("quotes-empty").hidden = rows.length > 0;
    byId("quotes-empty").textContent = wanted ? t("quotes.nothing") : t("quotes.waiting");
  }

  // -- choosing -------------------------------------------------------------------------

  #clicked(target) {
    const row = target.closest("tr")?.row;
    if (row) this.choose(row.instrument);
  }

  #pressed(event) {
    const at = this.#order.indexOf(event.target.closest("tr")?.row);
    const last = this.#order.length - 1;
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    const row = this.#order[Math.min(Math.max(to, 0), last)];
    this.choose(row.instrument);
    row.button.focus();
  }
}
