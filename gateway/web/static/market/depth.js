/** The five best bids and offers of the chosen code. */

import { byId, element, Text } from "../ui/dom.js";
import { NONE, number } from "../ui/format.js";
import { figure } from "../model/market.js";

const LEVELS = 5;
const SIDES = ["bid", "ask"];

export class Depth {
  #box = byId("depth");
  #lines = [];

  constructor() {
    const body = byId("depth-body");
    for (let level = 0; level < LEVELS; level++) {
      const line = {};
      const cells = {};
      for (const side of SIDES) {
        const size = element("td", { className: `size ${side}` });
        const price = element("td", { className: `price ${side}` });
        line[side] = { size: new Text(size), price: new Text(price), cell: size, part: "" };
        cells[side] = { size, price };
      }
      const { bid, ask } = cells;
      body.append(element("tr", {}, bid.size, bid.price, ask.price, ask.size));
      this.#lines.push(line);
    }
  }

  /** Show the depth of `instrument`; nothing where there is none. */
  show({ depth, digits }) {
    this.#box.hidden = !depth;
    if (!depth) return;
    const most = Math.max(1, ...SIDES.flatMap((side) => list(depth[`${side}_volume`])));
    for (const [level, line] of this.#lines.entries()) {
      for (const side of SIDES) {
        const price = list(depth[`${side}_price`])[level];
        const size = list(depth[`${side}_volume`])[level];
        write(line[side], price, size, digits, most);
      }
    }
  }
}

function write(cell, price, size, digits, most) {
  cell.price.set(price > 0 ? number(price, digits) : NONE);
  cell.size.set(size > 0 ? number(size) : NONE);
  const part = size > 0 ? `${Math.round((size / most) * 100)}%` : "0%";
  if (cell.part === part) return;
  cell.part = part;
  cell.cell.style.setProperty("--part", part);
}

function list(values) {
  return Array.isArray(values) ? values.slice(0, LEVELS).map(figure) : [];
}
