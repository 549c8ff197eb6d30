/** The trades of the chosen code, the newest first; it holds still under the pointer. */

import { hms, now } from "../model/clock.js";
import { byId, element, mark, Text } from "../ui/dom.js";
import { age, number } from "../ui/format.js";
import { inNextFrame, seldom } from "../ui/frame.js";
import { onLanguage, t } from "../ui/i18n.js";
import { against, priceText } from "./words.js";

const ROW = 21; // pixels; see book.css
const LARGE = 0.95; // of the sizes: what is above is bold
const SAMPLE = 20; // trades from which on it is known what is large
const EVERY = 100; // milliseconds: nobody reads faster

export class TapeList {
  #instrument = null;
  #rows = [];
  #held = null; // the number of trades at which somebody began to read
  #large = Infinity;
  #state = { isOld: false, since: null };
  #gap = new Text(byId("tape-gap"));
  #inView = 0; // rows that have room: the others are written when somebody begins to read
  #more = new Text(byId("tape-new"));

  constructor() {
    const scroll = byId("tape-scroll");
    for (const enter of ["pointerenter", "focus"]) {
      scroll.addEventListener(enter, () => this.#hold());
    }
    new ResizeObserver(([{ contentRect }]) => {
      this.#inView = Math.ceil(contentRect.height / ROW);
      inNextFrame(this.#write);
    }).observe(scroll);
    for (const leave of ["pointerleave", "blur"]) {
      scroll.addEventListener(leave, () => this.#release());
    }
    byId("tape-new").addEventListener("click", () => {
      this.#release();
      scroll.scrollTop = 0;
    });
    onLanguage(() => this.#write());
  }

  /** Show the trades of `instrument`. */
  show(instrument) {
    this.#instrument = instrument;
    this.#held = null;
    this.#write();
    this.#tellGap();
  }

  /**
   * Whether its last trade is older than it should be; `since`: nothing at all is heard since then, in
   * seconds since 1970, or null.
   */
  set state(state) {
    this.#state = state;
    this.#tellGap();
  }

  /** Trades that are missing, above the newest one. */
  #tellGap() {
    const { isOld, since } = this.#state;
    const time = this.#instrument?.time;
    const isThere = isOld && (since || Number.isFinite(time));
    byId("tape-gap").hidden = !isThere;
    if (!isThere) return;
    this.#gap.set(since ? t("tape.since", { time: hms(since) }) : t("tape.gap", { age: age(now() - time) }));
  }

  #hold() {
    if (this.#held !== null || !this.#instrument) return;
    this.#list(this.#instrument.tape, Infinity);
    this.#held = this.#instrument.tape.count;
  }

  #release() {
    this.#held = null;
    this.#write();
  }

  #write = () => {
    const instrument = this.#instrument;
    const tape = instrument?.tape;
    const isEmpty = !tape?.length;
    byId("tape-empty").hidden = !isEmpty || !instrument;
    const fresh = this.#held === null || !tape ? 0 : tape.count - this.#held;
    byId("tape-new").hidden = !fresh;
    this.#more.set(t("tape.new", { n: number(fresh) }));
    if (this.#held !== null && tape) return;
    this.#list(tape, this.#inView);
  };

  /** There may be new ones. */
  changed = seldom(this.#write, EVERY);

  /** Write the newest trades, `most` of them. */
  #list(tape, most) {
    const shown = Math.min(most, tape?.length ?? 0);
    while (this.#rows.length < shown) this.#rows.push(this.#add());
    this.#rows.forEach(({ line }, i) => { line.hidden = i >= shown; });
    if (!shown) return;
    this.#measure(tape);
    for (let i = 0; i < shown; i++) this.#line(this.#rows[i], tape.length - 1 - i);
  }

  #line({ texts, cells }, at) {
    const { time, price, size, side } = this.#instrument.tape;
    texts[0].set(hms(time[at]));
    texts[1].set(priceText(price[at], this.#instrument));
    texts[2].set(number(size[at]));
    mark(cells[1], "move", against(price[at], this.#instrument));
    mark(cells[2], "side", side[at] ? String(side[at]) : "");
    mark(cells[2], "large", size[at] > this.#large ? "yes" : "");
  }

  #measure({ size, length }) {
    const sorted = size.slice(0, length).sort(); // as numbers, since they are in an array of them
    this.#large = length < SAMPLE ? Infinity : sorted[Math.floor(length * LARGE)];
  }

  #add() {
    const cells = ["", "figure price", "figure"].map((className) => element("td", { className }));
    const line = element("tr", {}, ...cells);
    byId("tape-body").append(line);
    return { line, cells, texts: cells.map((cell) => new Text(cell)) };
  }
}
