/**
 * The chart: what is shown, and how much of it has to be drawn again.
 *
 * Three canvases lie on each other: the base (grid, closed bars), the live one (newest bar, tags)
 * and the pointer's.  A move of the pointer draws the third only, a trade the second too, and what
 * changes bars, view, size or colors all three.
 */

import { hm, hms, monthDay } from "../model/clock.js";
import { accountDay, session } from "../model/sessions.js";
import { drawInNextFrame } from "../ui/frame.js";
import { onTheme } from "../ui/theme.js";
import { drawBase, drawSkeleton } from "./base.js";
import { geometry } from "./geometry.js";
import { gestures } from "./gestures.js";
import { Handles } from "./handles.js";
import { drawLive } from "./live.js";
import { drawPointer, snapped } from "./pointer.js";
import { View } from "./view.js";

const POINTER = 1, LIVE = 2, ALL = 3; // how much is to be drawn
const SIZE = "11px"; // of letters
const DAY = 86_400;
const ROOM = 104; // pixels for what is ahead
const FITS = 600; // bars that a double click brings into view, at most

export class Chart {
  #box;
  #contexts;
  #view = new View();
  #width = 0;
  #height = 0;
  #wanted = 0;
  #geometry = null;
  #axis;
  #data = null;
  #at = null; // where the pointer is: {i, y}
  #handles = new Handles();
  #tags = null; // what stands on the axis
  #font = `${SIZE} ${getComputedStyle(document.documentElement).fontFamily}`;
  #first = NaN; // the time of the first bar at the last look
  #on;

  /**
   * `box` has the three canvases; `on` hears `pointed(i)` (-1: at none), `moved(isFollowing)`, `early()`
   * when the first bar comes into view, `dropped(id, price)` of a line that was dragged, and `chosen(line)`
   * with each drawing: the line that is chosen, with `at` in pixels, or null.
   */
  constructor(box, on) {
    this.#box = box;
    this.#on = on;
    this.#contexts = [...box.querySelectorAll("canvas")].map((each) => each.getContext("2d"));
    new ResizeObserver(([{ contentRect }]) => this.#resize(contentRect)).observe(box);
    gestures(box, (x) => x > (this.#geometry?.right ?? Infinity), {
      point: (x, y) => this.#point(x, y),
      leave: () => this.point(-1),
      pan: (pixels) => this.#move(() => this.#view.pan(pixels, this.#bars, this.#across)),
      zoom: (factor, x) => this.#move(() => this.#view.zoom(factor, x, this.#bars, this.#across)),
      pull: (factor) => this.#move(() => this.#view.pull(factor)),
      fit: () => this.#move(() => this.#view.fit(this.#bars, this.#across, FITS)),
      reset: () => this.#move(() => { this.#view.stretch = 1; }),
      meets: (y, pointer) => this.#meet(y, pointer),
      take: (y, pointer) => this.chooseLine(this.#meet(y, pointer)?.id ?? null),
      drag: (y) => this.#drag(y),
      drop: (isDone) => this.#drop(isDone),
    });
    onTheme(() => this.#want(ALL));
  }

  /**
   * Show `data`: `bars`, `market`, `step`, `digits`, `tick`, `price`, `reference`, `limits`, `lines`,
   * `trials`, `changes` (of contract), `averages`, `isLine`, `isOld`, `left` (text below the last price),
   * `ahead` (`{kind, texts}`, see marks.js, or null); null: nothing.
   */
  show(data) {
    const isOther = data?.bars !== this.#data?.bars;
    this.#data = data && { ...data, font: this.#font, bold: `600 ${this.#font}` };
    if (isOther) {
      this.#view.follow();
      this.#axis = undefined;
      this.#geometry = null;
      this.#at = null;
      this.#handles.choose(null);
    }
    this.#want(ALL);
  }

  /** Some fields of what is shown are others: of the newest bar alone (`isLive`), or more. */
  change(fields, isLive) {
    if (!this.#data) return;
    Object.assign(this.#data, fields);
    this.#want(isLive && this.#isRoom() ? LIVE : ALL);
  }

  /** The places of the first and the last bar in view. */
  get span() {
    return this.#geometry ? [this.#geometry.first, this.#geometry.last] : [0, -1];
  }

  /** Point at bar `i`; -1: at none. */
  point(i, isByKey = false) {
    this.#at = i < 0 ? null : { i, y: null };
    if (i >= 0 && isByKey && !this.#data?.isLine) this.#move(() => this.#view.reveal(i, this.#bars, this.#across));
    this.#on.pointed(i);
    this.#want(POINTER);
  }

  /** The lines as they are shown; the chosen one has `isChosen`. */
  get lines() {
    return this.#handles.dress(this.#data?.lines ?? []);
  }

  /** The line above (1) or below (-1) the chosen one, if there are any. */
  nextLine(way) {
    return Handles.next(this.lines, way);
  }

  /** Choose a line by its id; null: none. */
  chooseLine(id) {
    this.#handles.choose(id);
    this.#want(LIVE);
  }

  /** Show the newest bar again. */
  follow() {
    this.#move(() => this.#view.follow());
  }

  /** Move by a part of what is in view; make bars wider or narrower. */
  pan(part) {
    this.#move(() => this.#view.pan(part * this.#across, this.#bars, this.#across));
  }

  zoom(factor) {
    this.#move(() => this.#view.zoom(factor, this.#across, this.#bars, this.#across));
  }

  get #bars() {
    return this.#data.bars;
  }

  get #across() {
    return this.#geometry?.right ?? this.#width;
  }

  /** Whether the newest price is within what the axis shows. */
  #isRoom() {
    const g = this.#geometry;
    const { price } = this.#data;
    return g && !this.#data.isLine && !(price < g.from || price > g.to) &&
      this.#bars.volume[this.#bars.length - 1] <= g.most;
  }

  #meet(y, pointer) {
    return this.#geometry && Handles.meet(this.lines, this.#geometry, y, pointer);
  }

  #drag(y) {
    if (!this.#geometry) return; // it was taken away meanwhile
    this.#handles.drag(snapped(this.#geometry.price(y), this.#data.tick));
    this.#want(LIVE);
  }

  #drop(isDone) {
    const { id, price } = this.lines.find(({ isChosen }) => isChosen) ?? {};
    if (isDone && id) this.#on.dropped(id, price);
    this.#handles.drag(NaN);
    this.#want(LIVE);
  }

  #resize({ width, height }) {
    const ratio = window.devicePixelRatio || 1;
    this.#width = width;
    this.#height = height;
    for (const { canvas } of this.#contexts) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    for (const context of this.#contexts) context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#want(ALL);
  }

  #move(change) {
    if (!this.#data?.bars.length) return;
    change();
    this.#on.moved(this.#view.isFollowing);
    this.#want(ALL);
  }

  #point(x, y) {
    const g = this.#geometry;
    if (!g || x > g.right) return this.point(-1);
    const i = g.indexAt(x);
    if (this.#at?.i !== i) this.#on.pointed(i);
    this.#at = { i, y };
    this.#want(POINTER);
  }

  #want(how) {
    if (how > this.#wanted) this.#wanted = how;
    drawInNextFrame(this.#draw);
  }

  #draw = () => {
    const how = this.#wanted;
    this.#wanted = 0;
    if (!this.#width) return;
    const [base, live, pointer] = this.#contexts;
    const data = this.#data;
    if (how === ALL) {
      this.#measure(base);
      this.#clear(base);
      if (this.#geometry) drawBase(base, this.#geometry, data);
      else drawSkeleton(base, this.#width, this.#height);
    }
    const g = this.#geometry;
    if (how >= LIVE) {
      this.#clear(live);
      const { lines } = this;
      if (g) this.#tags = drawLive(live, g, data, lines);
      this.#on.chosen(g && Handles.chosen(lines, g));
    }
    this.#clear(pointer);
    const i = Math.min(this.#at?.i ?? -1, (data?.bars.length ?? 0) - 1);
    if (!g || i < g.first || i > g.last) return;
    drawPointer(pointer, g, data, { i, y: this.#at.y, time: this.time(i), tags: this.#tags });
  };

  #measure(context) {
    const data = this.#data;
    this.#geometry = null;
    if (!data) return;
    const { bars, market, step } = data;
    data.session = data.isLine && bars.length ? session(market, bars.last) : null;
    data.axis = this.#axis;
    this.#view.room = data.ahead && !data.session ? ROOM : 0;
    context.font = data.bold;
    const measure = (text) => context.measureText(text).width;
    this.#geometry = geometry(data, this.#view, this.#width, this.#height, measure);
    this.#axis = Math.max(this.#axis ?? 0, this.#geometry?.axis ?? 0) || undefined;
    if (this.#geometry?.first === 0 && bars.time[0] !== this.#first && step) {
      this.#first = bars.time[0];
      this.#on.early();
    }
  }

  /** The time of bar `i`, as the crosshair has it. */
  time(i) {
    const { bars, market, step } = this.#data;
    const at = bars.time[i];
    if (step >= DAY) return monthDay(accountDay(market, at));
    return `${monthDay(at)} ${step < 60 ? hms(at) : hm(at)}`;
  }

  #clear(context) {
    context.clearRect(0, 0, this.#width, this.#height);
  }
}
