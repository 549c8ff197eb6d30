/**
 * The rows of the list of codes: made some in a frame, written while they are in view.
 *
 * A row that is out of view has its texts of when it was made, for whoever reads or searches the
 * page, and is not painted (css/list.css).
 */

import { byId } from "../ui/dom.js";
import { inNextFrame } from "../ui/frame.js";
import { onTheme } from "../ui/theme.js";
import { Columns } from "./columns.js";
import { Row } from "./row.js";

const MADE = 20; // rows made in one frame
const SKETCHES = 8; // sparklines drawn in one frame
const FLASH = 350; // milliseconds
const FLASHES = 333; // milliseconds from one flash of a row to its next: three a second at most

export class Rows {
  #rows = new Map(); // instrument -> row
  #order = []; // instruments, as they are shown
  #chosen = null;
  #stop = null; // the row that can be reached with Tab
  #dirty = new Set(); // instruments
  #sketches = new Set();
  #flashing = new Map(); // row -> until when
  #columns = new Columns(() => this.#sketchAll());
  #body = byId("quotes-body");
  #ages = { isOld: () => false, isClosed: () => false };
  #sketched;
  #seen;

  /** `sketched(instrument)` hears of each whose small line is in view. */
  constructor(sketched) {
    this.#sketched = sketched;
    this.#seen = new IntersectionObserver((entries) => this.#look(entries), {
      root: byId("quotes-scroll"),
      rootMargin: "200px",
    });
    setInterval(() => this.grow(), 1000);
    onTheme(() => this.#sketchAll());
  }

  /** Show `instruments`, in this order; `areOthers`: columns may become narrower. */
  show(instruments, areOthers) {
    this.#order = instruments;
    if (areOthers) this.#columns.reset(instruments.map((each) => this.#rows.get(each)).filter(Boolean));
    this.#place();
  }

  /** Something about `instrument` is new. */
  changed(instrument) {
    this.#dirty.add(instrument);
    inNextFrame(this.#paint);
  }

  /** See `List.age`. */
  age(ages) {
    this.#ages = ages;
    for (const row of this.#rows.values()) this.#age(row);
  }

  /** Mark `instrument` as the chosen one. */
  choose(instrument) {
    this.#rows.get(this.#chosen)?.line.removeAttribute("aria-current");
    this.#chosen = instrument;
    this.#rows.get(instrument)?.line.setAttribute("aria-current", "true");
    this.#rove();
  }

  /** Give the focus to the row of `instrument`. */
  focus(instrument) {
    if (!this.#rows.has(instrument)) {
      this.#make(instrument);
      this.#place();
    }
    this.#rows.get(instrument).button.focus();
  }

  /** `instrument` is shown no more. */
  remove(instrument) {
    const row = this.#rows.get(instrument);
    if (!row) return;
    this.#rows.delete(instrument);
    this.#seen.unobserve(row.line);
    this.#sketches.delete(row);
    this.#flashing.delete(row);
  }

  /** None is shown any more. */
  clear() {
    this.#seen.disconnect();
    for (const kept of [this.#rows, this.#dirty, this.#sketches, this.#flashing]) kept.clear();
    this.#chosen = null;
  }

  /** Write what time alone changes. */
  grow() {
    const now = Date.now();
    for (const row of this.#rows.values()) if (row.isSeen) row.grow(now);
  }

  // -- making ---------------------------------------------------------------------------

  /** Make some of the rows that are missing, those further up first. */
  #makeSome = () => {
    for (const instrument of this.#missing.slice(0, MADE)) this.#make(instrument);
    this.#place();
  };

  get #missing() {
    return this.#order.filter((each) => !this.#rows.has(each));
  }

  /** Put the rows that there are in their places. */
  #place() {
    const lines = this.#order.map((each) => this.#rows.get(each)?.line).filter(Boolean);
    const focused = document.activeElement;
    arrange(this.#body, lines);
    if (focused !== document.activeElement && this.#body.contains(focused)) focused.focus({ preventScroll: true });
    this.#rove();
    if (lines.length < this.#order.length) inNextFrame(this.#makeSome);
  }

  #make(instrument) {
    const row = new Row(instrument);
    row.line.row = row;
    this.#rows.set(instrument, row);
    if (instrument === this.#chosen) row.line.setAttribute("aria-current", "true");
    this.#age(row);
    this.#write(row, Date.now());
    this.#seen.observe(row.line);
  }

  /** One row can be reached with Tab: the chosen one, or the first. */
  #rove() {
    const instrument = this.#order.includes(this.#chosen) ? this.#chosen : this.#order[0];
    const row = this.#rows.get(instrument) ?? null;
    if (row === this.#stop) return;
    if (this.#stop) this.#stop.button.tabIndex = -1;
    if (row) row.button.tabIndex = 0;
    this.#stop = row;
  }

  // -- painting -------------------------------------------------------------------------

  #paint = () => {
    const now = Date.now();
    for (const instrument of this.#dirty) {
      const row = this.#rows.get(instrument);
      if (row?.isSeen) this.#write(row, now);
    }
    this.#dirty.clear();
    this.#dim(now);
    this.#sketchSome();
    if (this.#sketches.size || this.#flashing.size) inNextFrame(this.#paint);
  };

  #write(row, now) {
    if (row.update(now) && !(this.#flashing.get(row) > now + FLASH - FLASHES)) {
      row.flash(true);
      this.#flashing.set(row, now + FLASH);
    }
    if (this.#columns.hasTrend) this.#sketch(row);
    this.#columns.fit(row);
  }

  #age(row) {
    const { isOld, isClosed } = this.#ages;
    const isOther = row.age(isOld(row.instrument), isClosed(row.instrument));
    if (!isOther || !row.isSeen || !this.#columns.hasTrend) return;
    this.#sketches.add(row); // in the colors of what is old, or no more
    inNextFrame(this.#paint);
  }

  #dim(now) {
    for (const [row, until] of this.#flashing) {
      if (until > now) continue;
      row.flash(false);
      this.#flashing.delete(row);
    }
  }

  #sketch(row) {
    this.#sketches.add(row);
    this.#sketched(row.instrument);
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
    if (!this.#columns.hasTrend) return;
    for (const row of this.#rows.values()) if (row.isSeen) this.#sketch(row);
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
}

/** Let `body` have these lines, in this order; those in their places stay, with what has the focus in them. */
function arrange(body, lines) {
  const wanted = new Set(lines);
  for (const line of [...body.children]) if (!wanted.has(line)) line.remove();
  let next = body.firstElementChild;
  for (const line of lines) {
    if (next && line === next.nextElementSibling) next = line; // the one before it goes further down
    if (line === next) next = next.nextElementSibling;
    else body.insertBefore(line, next);
  }
}
