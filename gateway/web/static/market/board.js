/** The option board: one row a strike, calls left, puts right. */

import { expiries, underlying } from "../model/option_board.js";
import { byId, element, mark, Text } from "../ui/dom.js";
import { figureText, number, volumeText } from "../ui/format.js";
import { seldom } from "../ui/frame.js";
import { language, onLanguage, t } from "../ui/i18n.js";
import { browser } from "../ui/store.js";
import { changeTexts, direction, priceText } from "./words.js";

const COLUMNS = ["volume", "change", "last", "bid", "ask"]; // of calls
const FEW = ["last", "bid", "ask"]; // where there is less room
const PUTS = ["bid", "ask", "last", "change", "volume"]; // in this order
const narrow = window.matchMedia("(width < 1180px)");
const EVERY = 200; // milliseconds from one writing to the next
const best = (value) => (Array.isArray(value) ? Number(value[0]) : NaN);

/** By column: the text of an option. */
const CELLS = {
  volume: (it) => volumeText(it.volume),
  change: (it) => changeTexts(it)[0],
  last: (it) => priceText(it.shown, it),
  bid: (it) => priceText(best(it.depth?.bid_price) || NaN, it),
  ask: (it) => priceText(best(it.depth?.ask_price) || NaN, it),
};

export class Board {
  #groups = [];
  #chosen = null; // the series in view
  #instrument = null;
  #lines = [];
  #spot = null;
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
    for (const moved of ["wheel", "pointerdown", "keydown"]) {
      this.#box.addEventListener(moved, () => { this.#isRead = true; }, { passive: true });
    }
    narrow.addEventListener("change", () => this.rebuild());
    onLanguage(() => this.rebuild());
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
    if (series && series !== this.#chosen) this.#open(series);
    else this.#write();
  }

  /** Other options are known. */
  rebuild() {
    this.#groups = expiries(this.#market.codes.values());
    this.#dock.hidden = !this.#groups.length;
    mark(document.documentElement, "options", this.#groups.length ? "yes" : "");
    if (!this.#groups.some(({ series }) => series === this.#chosen)) {
      this.#chosen = this.#groups[0]?.series ?? null;
    }
    const tabs = this.#groups.map((group) => {
      const tab = element("button", { type: "button", textContent: label(group) });
      tab.setAttribute("aria-pressed", String(group.series === this.#chosen));
      tab.addEventListener("click", () => this.#open(group.series));
      return tab;
    });
    byId("expiries").replaceChildren(...tabs);
    this.#draw();
  }

  /** Bring the strikes around the underlying into view. */
  toMoney() {
    const line = this.#lines.find(({ row }) => row.className === "spot") ?? this.#lines[0];
    if (!line) return;
    const { row } = line;
    this.#box.scrollTop = row.offsetTop - (this.#box.clientHeight - row.offsetHeight) / 2;
  }

  #folded(yes) {
    byId("fold").setAttribute("aria-expanded", String(!yes));
  }

  #open(series) {
    this.#chosen = series;
    this.#isRead = false;
    this.rebuild();
  }

  get #columns() {
    return narrow.matches ? FEW : COLUMNS;
  }

  #group() {
    return this.#groups.find(({ series }) => series === this.#chosen);
  }

  #draw() {
    const group = this.#group();
    this.#lines = [];
    if (!group) {
      this.#box.replaceChildren();
      return;
    }
    const { strikes } = group;
    const codes = strikes.flatMap(({ call, put }) => [call, put].filter(Boolean)).length;
    this.#count.set(t("board.count", { n: number(codes) }));
    this.#spot = underlying(group, (code) => this.#market.find(code));
    const body = element("tbody");
    let isAbove = !this.#spot;
    for (const pair of strikes) {
      if (!isAbove && pair.strike > this.#spot.price) {
        isAbove = true;
        body.append(this.#spotLine());
      }
      body.append(this.#line(pair));
    }
    if (!isAbove) body.append(this.#spotLine());
    const table = element("table", { role: "grid", "aria-labelledby": "board-title" },
      head(this.#columns), body);
    this.#box.replaceChildren(table);
    this.#rove();
    this.#write();
    if (!this.#isRead) this.toMoney();
  }

  #spotLine() {
    const text = element("span");
    const row = element("tr", { className: "spot" },
      element("td", { colSpan: 2 * this.#columns.length + 1 }, text));
    this.#lines.push({ row, spot: new Text(text) });
    return row;
  }

  #line({ strike, call, put }) {
    const columns = this.#columns;
    const puts = PUTS.filter((name) => columns.includes(name));
    const sides = [this.#side(call, columns), this.#side(put, puts)];
    const price = element("th", { scope: "row", className: "strike", textContent: number(strike, Number.isInteger(strike) ? 0 : 2) });
    const row = element("tr", {}, ...sides[0].nodes, price, ...sides[1].nodes);
    this.#lines.push({ row, strike, sides });
    return row;
  }

  #side(instrument, columns) {
    const nodes = columns.map((name) => {
      const isMoving = name === "last" || name === "change";
      const cell = element("td", { className: `figure ${name}${isMoving ? " moves" : ""}`, tabIndex: -1 });
      if (name === "change") cell.classList.add("arrow");
      cell.instrument = instrument;
      return cell;
    });
    return { instrument, nodes, texts: nodes.map((cell) => new Text(cell)), columns };
  }

  #write = () => {
    const group = this.#group();
    if (!group || this.#dock.hidden) return;
    const spot = underlying(group, (code) => this.#market.find(code));
    if (this.#crossed(group, spot)) {
      this.#draw();
      return;
    }
    for (const line of this.#lines) {
      if (line.spot) {
        const name = spot.source === "spot" ? t("board.spot") : spot.source;
        line.spot.set(`${name} ${figureText(spot.price, spot.source === "spot" ? 2 : 0)}`);
      } else {
        line.sides.forEach((side, i) => this.#writeSide(side, i === 0, line.strike, spot));
      }
    }
  };

  /** An option, or what it is about, has changed. */
  changed = seldom(this.#write, EVERY);

  /** Whether the line of the underlying is between other strikes than before. */
  #crossed({ strikes }, spot) {
    const before = this.#spot;
    this.#spot = spot;
    if (!before || !spot) return before !== spot;
    return strikes.some(({ strike }) => strike > before.price !== strike > spot.price);
  }

  #writeSide({ instrument, nodes, texts, columns }, isCall, strike, spot) {
    const isIn = spot && (isCall ? strike < spot.price : strike > spot.price);
    const isChosen = instrument && instrument === this.#instrument;
    columns.forEach((name, i) => {
      const cell = nodes[i];
      texts[i].set(instrument ? CELLS[name](instrument) : t("board.none"));
      cell.classList.toggle("itm", Boolean(isIn));
      mark(cell, "move", instrument ? direction(instrument.change) : "");
      mark(cell, "chosen", isChosen && name === "last" ? "yes" : "");
    });
  }

  // -- choosing -------------------------------------------------------------------------

  #clicked(cell) {
    if (cell?.instrument) this.#choose(cell.instrument);
  }

  #cells() {
    return this.#lines.filter(({ sides }) => sides)
      .map(({ sides }) => sides.flatMap(({ nodes }) => nodes));
  }

  #pressed(event) {
    const cells = this.#cells();
    let [row, column] = this.#at;
    const { key, altKey } = event;
    if (altKey && (key === "ArrowLeft" || key === "ArrowRight")) this.#turn(key === "ArrowLeft" ? -1 : 1);
    else if (key === "Enter") this.#enter(cells[row], event.shiftKey);
    else {
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key];
      if (!step) return;
      row = Math.min(Math.max(row + step[0], 0), cells.length - 1);
      column = Math.min(Math.max(column + step[1], 0), 2 * this.#columns.length - 1);
      this.#at = [row, column];
      this.#rove();
      cells[row]?.[column]?.focus();
    }
    event.preventDefault();
  }

  /** Enter is the call of the row, Shift+Enter the put. */
  #enter(row, isPut) {
    const { instrument } = row?.[isPut ? row.length - 1 : 0] ?? {};
    if (instrument) this.#choose(instrument);
  }

  #turn(step) {
    const at = this.#groups.findIndex(({ series }) => series === this.#chosen);
    const next = this.#groups[at + step];
    if (next) this.#open(next.series);
  }

  #rove() {
    const [row, column] = this.#at;
    this.#cells().forEach((cells, i) => cells.forEach((cell, j) => {
      const stop = i === row && j === column ? 0 : -1;
      if (cell.tabIndex !== stop) cell.tabIndex = stop;
    }));
  }
}

function head(columns) {
  const cell = (name, before, after) =>
    element("th", { scope: "col", className: `figure ${name}` },
      ...(before ? [element("b", { textContent: before })] : []), t(`board.${name}`),
      ...(after ? [element("b", { textContent: after })] : []));
  const calls = columns.map((name, i) => cell(name, i === 0 && t("board.calls"), ""));
  const last = columns.length - 1;
  const puts = PUTS.filter((name) => columns.includes(name))
    .map((name, i) => cell(name, "", i === last && t("board.puts")));
  const strike = element("th", { scope: "col", className: "strike", textContent: t("board.strike") });
  return element("thead", {}, element("tr", {}, ...calls, strike, ...puts));
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
