/** The chart of the chosen code: its bars from the gateway and from live trades, drawn. */

import { Chart } from "../chart/chart.js";
import { hm, now, two } from "../model/clock.js";
import { History } from "../model/history.js";
import { barOf, isNight } from "../model/sessions.js";
import { ask } from "../net/api.js";
import { byId, Text } from "../ui/dom.js";
import { duration, exact, moment } from "../ui/format.js";
import { inNextFrame } from "../ui/frame.js";
import { onLanguage, t } from "../ui/i18n.js";
import { BarsTable } from "./bars_table.js";
import { Legend } from "./legend.js";
import { LineButton } from "./line_button.js";
import { PlotKeys } from "./plot_keys.js";
import { Tools } from "./tools.js";

const KEPT = 8; // histories that stay in memory, so that going back is instant
const LONGEST = 3600; // seconds of a bar whose rest is told
const ALARMS = { above: "▲", below: "▼", trial: "◇" }; // by kind: what stands beside the word

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
  #state = { isOld: false, since: null, opens: null };
  #why = new Text(byId("chart-why"));
  #described = new Text(byId("chart-described"));
  #on;

  /**
   * `on` hears `interval(name)` (somebody chose another length of bars), `moved(id, price)` and
   * `removed(id)` of an alarm; `alarms(instrument)` are those that are lines, as `{id, kind, value}`;
   * `empty()` is why there are no bars.
   */
  constructor(on) {
    this.#on = on;
    const line = ({ name, way, price }) => `${name} ${way} ${exact(price, this.#data.digits)}`;
    const button = new LineButton(this.#box, line, on.removed);
    this.#chart = new Chart(this.#box, {
      pointed: (i) => this.#pointed(i),
      moved: (isFollowing) => { byId("newest").hidden = isFollowing; },
      early: () => this.#history?.earlier(),
      dropped: on.moved,
      chosen: (it) => button.show(it),
    });
    new PlotKeys(this.#box, this.#chart, {
      bars: () => this.#history?.bars.length ?? 0,
      at: () => this.#at,
      said: (i) => this.#legend.said(this.#data, i, this.#chart.time(i)),
      line,
      moved: on.moved,
      removed: on.removed,
      tick: () => this.#data.tick,
    });
    this.#tools = new Tools((name) => {
      if (name === "averages") this.#all();
      else this.#open();
      if (name === "interval") on.interval(this.#tools.interval);
    });
    new BarsTable(() => this.#shown());
    byId("newest").addEventListener("click", () => this.follow());
    onLanguage(() => this.#all());
    setInterval(() => this.#live(), 1000);
  }

  /** Show `instrument`, with bars of `interval`, "" for those of before. */
  show(instrument, interval) {
    this.#tools.interval = interval;
    this.#tools.hasNight = instrument.market === "futures";
    this.#instrument = instrument;
    this.#open();
  }

  /** Show the newest bar again. */
  follow() {
    this.#chart.follow();
    byId("newest").hidden = true;
  }

  /** A trade of any code. */
  traded(instrument, trade) {
    if (instrument !== this.#instrument) return;
    if (trade.isTrial) this.#history.tried(trade.time);
    else this.#history.trade(trade);
  }

  /** Its limits, reference, steps or alarms may be others. */
  changed(instrument) {
    if (instrument === this.#instrument) this.#live();
  }

  /**
   * How it is: `isOld`: its price is older than it should be; `since`: nothing at all is heard since
   * then, in seconds since 1970; `opens`: its market is closed until then.  Both may be null.
   */
  set state(state) {
    const { since, opens } = this.#state;
    this.#state = state;
    if (since === state.since && opens === state.opens) this.#live();
    else this.#all();
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
    const { changes } = this.#history;
    const data = { bars, market, step, averages, isLine, trials, changes, ahead: this.#ahead(), ...this.#moving() };
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
      ...this.#alarms(),
      { price: reference, color: "muted", dash: [2, 3], name: t(`chart.${sinceOpen ? "open" : "reference"}`) },
      { price: limitUp, color: "up", dash: [5, 3], name: t("fact.limitUp"), isEdge: true },
      { price: limitDown, color: "down", dash: [5, 3], name: t("fact.limitDown"), isEdge: true },
    ].filter((line) => Number.isFinite(line.price));
    return {
      price: Number.isFinite(price) ? price : close,
      reference, digits, tick, lines, isOld: this.#state.isOld,
      limits: [limitUp, limitDown].filter(Number.isFinite),
      left: this.#left(),
    };
  }

  /** Alarms are lines, and the first to get room for their names. */
  #alarms() {
    return this.#on.alarms(this.#instrument).map(({ id, kind, value }) => ({
      id, price: value, color: "accent", dash: [6, 4], isEdge: true, name: t("chart.alarm"), way: ALARMS[kind],
    }));
  }

  /** What stands beyond the newest bar: that nothing is heard any more, or when the market opens. */
  #ahead() {
    const { since, opens } = this.#state;
    if (since) return { kind: "veil", texts: [t("chart.silent"), t("chart.since", { time: hm(since) })] };
    if (!opens) return null;
    const name = this.#history.market !== "futures" ? t("chart.opens")
      : t(`hours.${isNight("futures", opens) ? "night" : "day"}`);
    return { kind: "next", texts: [moment(new Date(opens * 1000)), name] };
  }

  /** How long the newest bar goes on: 02:43. */
  #left() {
    const { market, step, bars } = this.#history;
    const { isOld, opens } = this.#state;
    if (this.#tools.isLine || isOld || opens || step < 60 || step > LONGEST || !bars.length) return "";
    if (barOf(market, step, now()) !== bars.last) return "";
    const seconds = Math.max(0, Math.ceil(bars.last + step - now()));
    return `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
  }

  #write() {
    const { bars, state } = this.#history ?? {};
    byId("chart-why").hidden = Boolean(bars?.length);
    if (!bars?.length) {
      this.#why.set(["asking", "failed"].includes(state) ? t(`chart.${state}`) : this.#on.empty());
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
}
