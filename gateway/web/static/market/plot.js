/** The chart of the chosen code: its bars from the gateway and from live trades, drawn. */

import { Chart } from "../chart/chart.js";
import { now, two } from "../model/clock.js";
import { History } from "../model/history.js";
import { barOf } from "../model/sessions.js";
import { ask } from "../net/api.js";
import { byId, Text } from "../ui/dom.js";
import { duration } from "../ui/format.js";
import { inNextFrame } from "../ui/frame.js";
import { onLanguage, t } from "../ui/i18n.js";
import { onKey } from "../ui/keys.js";
import { BarsTable } from "./bars_table.js";
import { Legend } from "./legend.js";
import { Tools } from "./tools.js";

const KEPT = 8; // histories that stay in memory, so that going back is instant
const SAID = 250; // milliseconds after the last key until the bar is read out
const MANY = 10; // bars that an arrow with Shift goes
const LONGEST = 3600; // seconds of a bar whose rest is told

export class Plot {
  #instrument = null;
  #history = null;
  #data = null; // what the chart shows
  #isWhole = false; // more than the newest bar is to be drawn again
  #histories = new Map(); // by code, interval and span, the one used last at the end
  #box = byId("chart");
  #chart;
  #legend = new Legend();
  #tools;
  #at = -1; // the bar pointed at
  #isOld = false;
  #why = new Text(byId("chart-why"));
  #described = new Text(byId("chart-described"));
  #say;
  #empty;

  /** `interval(name)`: somebody chose another length of bars; `empty()` is why there are none. */
  constructor(interval, empty) {
    this.#empty = empty;
    this.#chart = new Chart(this.#box, {
      pointed: (i) => this.#pointed(i),
      moved: (isFollowing) => { byId("newest").hidden = isFollowing; },
      early: () => this.#history?.earlier(),
    });
    this.#tools = new Tools((name) => {
      if (name === "averages") this.#all();
      else this.#open();
      if (name === "interval") interval(this.#tools.interval);
    });
    new BarsTable(() => this.#shown());
    const follow = () => {
      this.#chart.follow();
      byId("newest").hidden = true;
    };
    byId("newest").addEventListener("click", follow);
    onKey("0", follow);
    this.#box.addEventListener("keydown", (event) => this.#pressed(event));
    this.#box.addEventListener("blur", () => this.#chart.point(-1));
    onLanguage(() => this.#all());
    setInterval(() => this.#live(), 1000);
  }

  /** Show `instrument`, with bars of `interval`, "" for those of before. */
  show(instrument, interval) {
    this.#tools.interval = interval;
    this.#instrument = instrument;
    this.#open();
  }

  /** A trade of any code. */
  traded(instrument, trade) {
    if (instrument !== this.#instrument) return;
    if (trade.isTrial) this.#history.tried(trade.time);
    else this.#history.trade(trade);
  }

  /** Its limits, reference or steps may be others. */
  changed(instrument) {
    if (instrument === this.#instrument) this.#live();
  }

  /** Whether its price is older than it should be. */
  set isOld(yes) {
    this.#isOld = yes;
    this.#live();
  }

  /** The connection is back: ask for what was missed. */
  reconnected() {
    this.#history?.open();
  }

  /** What was shown is of another time. */
  forget() {
    for (const each of this.#histories.values()) each.close();
    this.#histories.clear();
    this.#history = this.#instrument = this.#data = null;
    this.#chart.show(null);
    this.#write();
  }

  // -- which bars -----------------------------------------------------------------------

  #open() {
    const instrument = this.#instrument;
    if (!instrument) return;
    const { isLine, span } = this.#tools;
    const interval = isLine ? "1m" : this.#tools.interval;
    const key = JSON.stringify([instrument.code, interval, span]);
    let history = this.#histories.get(key);
    if (history && history === this.#history) return this.#all();
    this.#history?.close();
    this.#histories.delete(key);
    const heard = (how) => this.#heard(history, how);
    if (history) {
      history.resume(heard);
    } else {
      const { code, market, trials } = instrument;
      history = new History(ask, { code, market, interval, session: span }, heard);
      for (const { time } of trials) history.tried(time);
      history.open();
    }
    this.#histories.set(key, history);
    if (this.#histories.size > KEPT) this.#histories.delete(this.#histories.keys().next().value);
    this.#history = history;
    this.#at = -1;
    this.#all();
  }

  #heard(history, how) {
    if (history !== this.#history) return;
    if (how === "bar") this.#live();
    else this.#all();
  }

  // -- what is shown --------------------------------------------------------------------

  /** The newest bar, or a line, is another one. */
  #live() {
    inNextFrame(this.#paint);
  }

  #all() {
    this.#isWhole = true;
    inNextFrame(this.#paint);
  }

  #paint = () => {
    const isWhole = this.#isWhole;
    this.#isWhole = false;
    if (!this.#history) return this.#write();
    const { bars, market, step } = this.#history;
    const { averages, isLine } = this.#tools;
    const { trials } = this.#instrument;
    const data = { bars, market, step, averages, isLine, trials, ...this.#moving() };
    if (bars === this.#data?.bars) this.#chart.change(data, !isWhole);
    else this.#chart.show(data);
    this.#data = data;
    this.#write();
  };

  /** What may be another one with each trade. */
  #moving() {
    const instrument = this.#instrument;
    const { bars } = this.#history;
    const { price, reference, sinceOpen, limitUp, limitDown, digits } = instrument;
    const tick = instrument.tick() || 10 ** -digits;
    const close = bars.length ? bars.close[bars.length - 1] : NaN;
    const lines = [
      { price: reference, color: "muted", dash: [2, 3], name: t(`chart.${sinceOpen ? "open" : "reference"}`) },
      { price: limitUp, color: "up", dash: [5, 3], name: t("fact.limitUp"), isEdge: true },
      { price: limitDown, color: "down", dash: [5, 3], name: t("fact.limitDown"), isEdge: true },
    ].filter((line) => Number.isFinite(line.price));
    return {
      price: Number.isFinite(price) ? price : close,
      reference, digits, tick, lines, isOld: this.#isOld,
      limits: [limitUp, limitDown].filter(Number.isFinite),
      left: this.#left(),
    };
  }

  /** How long the newest bar goes on: 02:43. */
  #left() {
    const { market, step, bars } = this.#history;
    if (this.#tools.isLine || this.#isOld || step < 60 || step > LONGEST || !bars.length) return "";
    if (barOf(market, step, now()) !== bars.last) return "";
    const seconds = Math.max(0, Math.ceil(bars.last + step - now()));
    return `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
  }

  #write() {
    const { bars, state } = this.#history ?? {};
    byId("chart-why").hidden = Boolean(bars?.length);
    if (!bars?.length) {
      this.#why.set(["asking", "failed"].includes(state) ? t(`chart.${state}`) : this.#empty());
    }
    if (!this.#data || !bars) return this.#described.set("");
    const i = this.#at < 0 ? bars.length - 1 : Math.min(this.#at, bars.length - 1);
    this.#legend.write(this.#data, i, bars.length ? this.#chart.time(i) : "");
    this.#describe();
  }

  #describe() {
    const [first, last] = this.#chart.span;
    if (last < first) return this.#described.set("");
    const { step } = this.#history;
    this.#described.set(t("chart.described", {
      step: step < 86_400 ? duration(step) : t("interval.1d"),
      from: this.#chart.time(first), to: this.#chart.time(last),
    }));
  }

  /** What the table has: the bars in view. */
  #shown() {
    const [first, last] = this.#chart.span;
    return { ...this.#data, first, last, time: (i) => this.#chart.time(i) };
  }

  // -- pointing -------------------------------------------------------------------------

  #pointed(i) {
    this.#at = i;
    this.#write();
  }

  #pressed(event) {
    const last = (this.#history?.bars.length ?? 0) - 1;
    if (last < 0 || event.ctrlKey || event.metaKey) return;
    const from = this.#at < 0 ? last + 1 : this.#at;
    const many = event.shiftKey ? MANY : 1;
    const { key, altKey } = event;
    const to = altKey ? undefined
      : { ArrowLeft: from - many, ArrowRight: from + many, Home: this.#chart.span[0], End: last }[key];
    if (to !== undefined) this.#aim(Math.min(Math.max(to, 0), last));
    else if (altKey && key === "ArrowLeft") this.#chart.pan(-0.25);
    else if (altKey && key === "ArrowRight") this.#chart.pan(0.25);
    else if (key === "+" || key === "=") this.#chart.zoom(1.25);
    else if (key === "-") this.#chart.zoom(0.8);
    else if (key === "Escape") this.#chart.point(-1);
    else return;
    event.preventDefault();
  }

  #aim(i) {
    this.#chart.point(i, true);
    clearTimeout(this.#say);
    this.#say = setTimeout(() => {
      const data = this.#data;
      byId("readout").textContent = this.#legend.said(data, i, this.#chart.time(i));
    }, SAID);
  }
}
