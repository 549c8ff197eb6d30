/** The option board: one row a strike, calls left, puts right. */

import { expiries, underlying } from "../model/option_board.js";
import { byId, element, mark, Text } from "../ui/dom.js";
import { figureText, number } from "../ui/format.js";
import { seldom } from "../ui/frame.js";
import { language, onLanguage, t } from "../ui/i18n.js";
import { browser } from "../ui/store.js";
import { heads, isPage, layout, line, onLayout, Side } from "./board_columns.js";

const EVERY = 200; // milliseconds from one writing to the next

export class Board {
  #groups = [];
  #chosen = null; // the series that somebody chose; null: the one that ends first
  #instrument = null;
  #lines = []; // strikes, upwards: {row, strike, sides}
  #layout = layout();
  #spot = null; // the line of the underlying: {row, text}
  #at = [0, 0]; // the cell that Tab reaches
  #isRead = false; // somebody has scrolled
  #dock = byId("dock");
  #box = byId("board");
  #count = new Text(byId("board-count"));
  #market;
  #choose;

  /** `choose(instrument)`: somebody wants to see that option. */
  constructor(market, choose) {
    this.#market = market;
    this.#choose = choose;
    byId("fold").addEventListener("click", () => this.fold());
    this.#folded(browser.get("board") === "folded");
    this.#box.addEventListener("click", ({ target }) => this.#clicked(target.closest("td")));
    this.#box.addEventListener("keydown", (event) => this.#pressed(event));
    this.#box.addEventListener("focusin", ({ target }) => this.#came(target));
    for (const moved of ["wheel", "pointerdown", "keydown"]) {
      this.#box.addEventListener(moved, () => { this.#isRead = true; }, { passive: true });
    }
    byId("to-money").addEventListener("click", () => this.toMoney());
    onLayout(() => this.rebuild());
    new ResizeObserver(() => this.#isRead || this.toMoney()).observe(this.#box); // it comes into view
    onLanguage(() => this.#translate());
    this.rebuild();
  }

  /** Fold it away, or open it. */
  fold() {
    const isFolded = byId("fold").getAttribute("aria-expanded") === "true";
    browser.set("board", isFolded ? "folded" : "");
    this.#folded(isFolded);
    if (!isFolded) this.toMoney();
  }

  /** Mark `instrument`; an option brings its expiry into view. */
  show(instrument) {
    this.#instrument = instrument;
    const series = instrument?.option?.series;
    if (series && series !== this.#group()?.series) this.#open(series);
    else this.#write();
  }

  /** Other options are known. */
  rebuild() {
    this.#groups = expiries(this.#market.codes.values());
    this.#dock.hidden = !this.#groups.length;
    mark(document.documentElement, "options", this.#groups.length ? "yes" : "");
    this.#writeTabs();
    this.#draw();
  }

  /** Bring the strikes around the underlying into view, and keep them there until somebody scrolls. */
  toMoney() {
    this.#isRead = false;
    const row = this.#spot?.row.isConnected ? this.#spot.row : this.#lines[0]?.row;
    if (!row?.checkVisibility()) return;
    if (isPage()) row.scrollIntoView({ block: "center" });
    else this.#box.scrollTop = this.#above(row);
  }

  /** Where the box is scrolled to for `row` to be in the middle, and the strikes above it to be whole. */
  #above(row) {
    const { offsetHeight: heads } = row.closest("table").tHead;
    const { offsetHeight: height } = this.#lines[0].row;
    const room = this.#box.clientHeight - heads - row.offsetHeight;
    return row.offsetTop - heads - Math.floor(room / height / 2) * height;
  }

  #folded(yes) {
    byId("fold").setAttribute("aria-expanded", String(!yes));
  }

  #open(series) {
    this.#chosen = series;
    this.#isRead = false;
    this.rebuild();
    const box = byId("expiries");
    const tab = box.querySelector("[aria-pressed=true]");
    if (tab) box.scrollLeft = tab.offsetLeft - box.offsetLeft - (box.clientWidth - tab.offsetWidth) / 2;
  }

  /** The options in view. */
  #group() {
    return this.#groups.find(({ series }) => series === this.#chosen) ?? this.#groups[0];
  }

  #writeTabs() {
    const shown = this.#group();
    const tabs = this.#groups.map((group) => {
      const tab = element("button", { type: "button", textContent: label(group) });
      tab.setAttribute("aria-pressed", String(group === shown));
      tab.addEventListener("click", () => this.#open(group.series));
      return tab;
    });
    byId("expiries").replaceChildren(...tabs);
  }

  #translate() {
    this.#writeTabs();
    this.#box.querySelector("thead")?.replaceWith(heads(this.#layout));
    this.#write();
  }

  #draw() {
    const group = this.#group();
    this.#layout = layout();
    this.#lines = (group?.strikes ?? []).map((pair) => this.#line(pair));
    this.#spot = this.#spotLine();
    if (!group) {
      this.#box.replaceChildren();
      return;
    }
    const table = element("table", { role: "grid", "aria-labelledby": "board-title" },
      heads(this.#layout), element("tbody", { role: "rowgroup" }, ...this.#lines.map(({ row }) => row)));
    const hasFocus = this.#box.contains(document.activeElement);
    this.#write(table.tBodies[0]); // while it is nowhere: a style for each cell, and not two
    this.#box.replaceChildren(table);
    this.#rove(...this.#at);
    if (hasFocus) this.#focus({ preventScroll: true }); // other options became known
    if (!this.#isRead) this.toMoney();
  }

  #spotLine() {
    const text = element("span");
    const across = 2 * this.#layout.calls.length + 1;
    const row = line({ className: "spot" }, element("td", { role: "gridcell", "aria-colspan": across }, text));
    return { row, text: new Text(text) };
  }

  #line({ strike, call, put }) {
    const { calls, puts } = this.#layout;
    const sides = [new Side(call, calls), new Side(put, puts)];
    const textContent = number(strike, Number.isInteger(strike) ? 0 : 2);
    const price = element("th", { scope: "row", role: "rowheader", className: "strike", textContent });
    const row = line({}, ...sides[0].cells, price, ...sides[1].cells);
    return { row, strike, sides };
  }

  /** Write all that may be another one. */
  #write(body = this.#box.querySelector("tbody")) {
    const group = this.#group();
    if (!group || this.#dock.hidden) return;
    const { strikes, listed } = group;
    const isPart = listed > strikes.length;
    this.#count.set(t(isPart ? "board.part" : "board.count", { n: number(strikes.length), of: number(listed) }));
    const spot = underlying(group, (code) => this.#market.find(code));
    for (const each of this.#lines) this.#writeSides(each, spot?.price);
    if (this.#writeSpot(body, spot) && !this.#isRead && body.isConnected) this.toMoney();
  }

  /** An option, or what it is about, has changed. */
  changed = seldom(() => this.#write(), EVERY);

  /** Write the underlying's line, between the strikes that it is between; whether it was somewhere else. */
  #writeSpot(body, spot) {
    const { row, text } = this.#spot;
    if (!spot) {
      row.remove();
      return false;
    }
    const isIndex = spot.source === "spot";
    text.set(`${isIndex ? t("board.spot") : spot.source} ${figureText(spot.price, isIndex ? 2 : 0)}`);
    const above = this.#lines.find(({ strike }) => strike > spot.price)?.row ?? null;
    if (row.parentNode === body && row.nextSibling === above) return false;
    body.insertBefore(row, above);
    return true;
  }

  /** Calls below the underlying and puts above it are in the money. */
  #writeSides({ strike, sides: [call, put] }, spot) {
    const isChosen = ({ instrument }) => instrument !== null && instrument === this.#instrument;
    call.write(strike < spot, isChosen(call));
    put.write(strike > spot, isChosen(put));
  }

  // -- choosing -------------------------------------------------------------------------

  #clicked(cell) {
    if (cell?.side?.instrument) this.#choose(cell.side.instrument);
  }

  #cells() {
    return this.#lines.map(({ sides }) => sides.flatMap(({ cells }) => cells));
  }

  #pressed(event) {
    const cells = this.#cells();
    const [row, column] = this.#at;
    const { key, altKey } = event;
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key];
    if (altKey && step?.[1]) this.#turn(step[1]);
    else if (key === "Enter") this.#enter(cells[row], event.shiftKey);
    else if (!step || altKey) return;
    else {
      this.#rove(row + step[0], column + step[1]);
      this.#focus();
    }
    event.preventDefault();
  }

  /** Go to the cell that Tab reaches. */
  #focus(how) {
    this.#box.querySelector("td[tabindex='0']")?.focus(how);
  }

  /** Somebody is at that cell, by keys or by a click: Tab comes back to it. */
  #came(cell) {
    const cells = this.#cells();
    const row = cells.findIndex((each) => each.includes(cell));
    if (row >= 0) this.#rove(row, cells[row].indexOf(cell));
  }

  /** Enter is the call of the row, Shift+Enter the put. */
  #enter(row, isPut) {
    const { instrument } = row?.at(isPut ? -1 : 0).side ?? {};
    if (instrument) this.#choose(instrument);
  }

  #turn(step) {
    const next = this.#groups[this.#groups.indexOf(this.#group()) + step];
    if (next) this.#open(next.series);
  }

  /** Tab reaches the cell at `row` and `column`, or the nearest one: there may be fewer than before. */
  #rove(row, column) {
    const all = this.#cells();
    const within = (at, { length }) => Math.max(0, Math.min(at, length - 1));
    const [x, y] = [within(row, all), within(column, all[0] ?? [])];
    this.#at = [x, y];
    all.forEach((cells, i) => cells.forEach((cell, j) => {
      const stop = i === x && j === y ? 0 : -1;
      if (cell.tabIndex !== stop) cell.tabIndex = stop;
    }));
  }
}

const monthName = (month) =>
  new Date(Date.UTC(2000, month - 1)).toLocaleDateString(language(), { month: "short", timeZone: "UTC" });

/** Of an expiry: the month, or the week's root, and the day where it is known. */
function label({ series, expiry }) {
  const [root, code] = series.split(" ");
  const month = code ? monthName(Number(code.slice(2))) : root;
  const week = /^TX([1245UVXYZ])$/.exec(root)?.[1];
  const day = expiry ? ` ${expiry.slice(5).replace("-", "/")}` : "";
  const kind = week ? t("board.week", { m: Number(code.slice(2)), w: week }) : month;
  return `${root && root !== "TXO" && !week ? `${root} ` : ""}${kind}${day}`;
}
