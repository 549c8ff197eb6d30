/** The five best bids and offers of the chosen code, and which side the trades were on. */

import { hms } from "../model/clock.js";
import { exchangeTime, figure } from "../model/instrument.js";
import { byId, element, mark, Text } from "../ui/dom.js";
import { NONE, number } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";
import { against, priceText } from "./words.js";

const LEVELS = 5;
const LONG = 9; // characters of a price above which its letters are smaller
const SIDES = ["bid", "ask"];

export class Book {
  #instrument = null;
  #lines = [];
  #sums = { bid: new Text(byId("book-bids")), ask: new Text(byId("book-asks")) };
  #time = new Text(byId("book-time"));
  #ratio = { bid: new Text(byId("ratio-bid")), ask: new Text(byId("ratio-ask")) };
  #part = "";
  #isClosed = false;

  constructor() {
    for (let level = 0; level < LEVELS; level++) {
      const line = {};
      const cells = {};
      for (const side of SIDES) {
        const size = element("td", { className: `size ${side}${side === "bid" ? " figure" : ""}` });
        const shown = element("span", { className: "limits" });
        const price = element("td", { className: `price ${side}${side === "bid" ? " figure" : ""}` }, shown);
        line[side] = { size: new Text(size), price: new Text(shown), cell: size, priceCell: price, part: "" };
        cells[side] = { size, price };
      }
      const { bid, ask } = cells;
      byId("book-body").append(element("tr", {}, bid.size, bid.price, ask.price, ask.size));
      this.#lines.push(line);
    }
    onLanguage(() => this.write());
    this.write();
  }

  /** Show the depth of `instrument`; `isClosed`: it is the last one of a session. */
  show(instrument, isClosed) {
    this.#instrument = instrument;
    this.#isClosed = isClosed;
    this.write();
  }

  write() {
    const depth = this.#instrument?.depth ?? {};
    const longest = Math.max(...list(depth.ask_price).map((price) => priceText(price, this.#instrument).length), 0);
    mark(byId("book"), "long", longest > LONG ? "yes" : "");
    const sizes = Object.fromEntries(SIDES.map((side) => [side, list(depth[`${side}_volume`])]));
    const most = Math.max(1, ...SIDES.flatMap((side) => sizes[side].filter(Number.isFinite)));
    for (const side of SIDES) {
      const prices = list(depth[`${side}_price`]);
      let sum = 0;
      this.#lines.forEach((line, level) => {
        const size = sizes[side][level];
        this.#level(line[side], prices[level], size, most);
        if (size > 0) sum += size;
      });
      this.#sums[side].set(sum ? number(sum) : NONE);
    }
    const at = exchangeTime(depth.datetime ?? depth.timestamp, NaN);
    this.#time.set(this.#isClosed ? t("label.close") : Number.isNaN(at) ? "" : hms(at));
    this.#sides();
  }

  #level(cell, price, size, most) {
    const isThere = size > 0 && Number.isFinite(price);
    const isMarket = isThere && price === 0 && this.#instrument.kind === "stocks";
    cell.price.set(!isThere ? NONE : isMarket ? t("book.market") : priceText(price, this.#instrument));
    cell.size.set(isThere ? number(size) : NONE);
    mark(cell.priceCell, "move", isThere && !isMarket ? against(price, this.#instrument) : "flat");
    const { limitUp, limitDown } = this.#instrument ?? {};
    mark(cell.priceCell, "limit", !isThere ? "" : price >= limitUp ? "up" : price <= limitDown ? "down" : "");
    const part = isThere ? `${Math.round((size / most) * 82)}%` : "0%";
    if (cell.part === part) return;
    cell.part = part;
    cell.cell.style.setProperty("--part", part);
  }

  /** Trades at the bid and at the ask, in percent, where the ticks tell. */
  #sides() {
    const { atBid, atAsk } = this.#instrument ?? {};
    const isTold = atBid + atAsk > 0;
    byId("ratio").hidden = !isTold;
    if (!isTold) return;
    const bid = Math.round((atBid / (atBid + atAsk)) * 100);
    this.#ratio.bid.set(`${bid}%`);
    this.#ratio.ask.set(`${100 - bid}%`);
    const part = `${bid}%`;
    if (part === this.#part) return;
    this.#part = part;
    byId("ratio-split").style.setProperty("--part", part);
  }
}

function list(values) {
  return Array.isArray(values) ? values.slice(0, LEVELS).map(figure) : [];
}
