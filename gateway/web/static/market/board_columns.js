/** The columns of the option board by the room there is, and what is in their cells. */

import { element, mark, Text } from "../ui/dom.js";
import { volumeText } from "../ui/format.js";
import { t } from "../ui/i18n.js";
import { changeTexts, direction, priceText } from "./words.js";

const desk = window.matchMedia("(width >= 1180px)");
const phone = window.matchMedia("(width < 760px)");

/** Of a layout's sides the columns, bid and ask inside; of a column what stands in it, one below the other. */
const WIDE = {
  calls: [["volume"], ["change"], ["last"], ["bid"], ["ask"]],
  puts: [["bid"], ["ask"], ["last"], ["change"], ["volume"]],
};
const FEW = { calls: [["last"], ["bid"], ["ask"]], puts: [["bid"], ["ask"], ["last"]] };
const PAIRS = {
  calls: [["last", "change"], ["bid", "ask"]],
  puts: [["bid", "ask"], ["last", "change"]],
};

const best = (value) => (Array.isArray(value) ? Number(value[0]) : NaN);

/** By name: the text of an option. */
const CELLS = {
  volume: (it) => volumeText(it.volume),
  change: (it) => changeTexts(it)[0],
  last: (it) => priceText(it.shown, it),
  bid: (it) => priceText(best(it.depth?.bid_price) || NaN, it),
  ask: (it) => priceText(best(it.depth?.ask_price) || NaN, it),
};

/** The columns for which there is room now, as `{calls, puts}`. */
export const layout = () => (desk.matches ? WIDE : phone.matches ? PAIRS : FEW);

/** Whether it is a page of its own that scrolls, and no box. */
export const isPage = () => phone.matches;

/** Call `listener` when there is room for others. */
export function onLayout(listener) {
  for (const query of [desk, phone]) query.addEventListener("change", listener);
}

/** The heads: the sides stand above their columns, or, where rows are dear, beside the outermost one. */
export function heads({ calls, puts }) {
  const isLow = calls === WIDE.calls;
  const cell = (scope, className, more, ...children) => element("th", { scope, role: "columnheader", className, ...more }, ...children);
  const side = (name, columns) => cell("colgroup", "", { colSpan: columns.length, "aria-colspan": columns.length }, t(`board.${name}`));
  const column = (name, names, isOuter) => {
    const texts = names.map((each) => t(`board.${each}`));
    const lines = texts.map((textContent) => element("span", { textContent }));
    const outer = isLow && isOuter ? [element("b", { textContent: t(`board.${name}`) })] : [];
    const said = `${t(`board.${name}`)} ${texts.join(" ")}`;
    return cell("col", "figure", { "aria-label": said }, ...(name === "calls" ? outer : []), ...lines, ...(name === "puts" ? outer : []));
  };
  const columns = [
    calls.map((names, i) => column("calls", names, i === 0)),
    puts.map((names, i) => column("puts", names, i === puts.length - 1)),
  ];
  const strike = cell("col", "strike", { rowSpan: isLow ? 1 : 2 }, t("board.strike"));
  const rows = isLow
    ? [line({}, ...columns[0], strike, ...columns[1])]
    : [line({ className: "sides" }, side("calls", calls), strike, side("puts", puts)), line({}, ...columns.flat())];
  return element("thead", { role: "rowgroup" }, ...rows);
}

/** A row, as who listens knows it: its layout is none of a table. */
export const line = (properties, ...cells) => element("tr", { role: "row", ...properties }, ...cells);

/** One side of one strike: its cells, one a column. */
export class Side {
  #texts = [];
  #isIn = null; // in the money

  /** `instrument` is null where the feed has none. */
  constructor(instrument, columns) {
    this.instrument = instrument;
    this.cells = columns.map((names) => this.#cell(names));
  }

  /** Write it; `isIn`: it is in the money, `isChosen`: it is in the chart. */
  write(isIn, isChosen) {
    const { instrument, cells } = this;
    for (const { name, text } of this.#texts) text.set(instrument ? CELLS[name](instrument) : t("board.none"));
    const move = instrument ? direction(instrument.change) : "";
    for (const cell of cells) {
      mark(cell, "move", move);
      mark(cell, "chosen", isChosen && cell.classList.contains("last") ? "yes" : "");
    }
    if (isIn === this.#isIn) return;
    this.#isIn = isIn;
    for (const cell of cells) {
      cell.classList.toggle("itm", isIn);
      if (isIn) cell.setAttribute("aria-describedby", "board-itm");
      else cell.removeAttribute("aria-describedby");
    }
  }

  #cell(names) {
    const lines = names.map((name) => {
      const made = element("span", { className: name });
      if (name === "change") made.classList.add("arrow");
      this.#texts.push({ name, text: new Text(made) });
      return made;
    });
    const cell = element("td", { role: "gridcell", className: `figure ${names.join(" ")}`, tabIndex: -1 }, ...lines);
    cell.side = this;
    return cell;
  }
}
