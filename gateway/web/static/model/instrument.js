/** One code: what the worker's events say of it.  Knows nothing of the document. */

import { isSpread, kindOf, marketOf, optionOf } from "./codes.js";
import { Series } from "./series.js";
import { Tape } from "./tape.js";
import { decimals, readTicks, tickAt } from "./ticks.js";

const WITH_ZONE = /(?:Z|[+-]\d\d:?\d\d)$/;
const TAIPEI = 28_800_000; // milliseconds; the broker's times have no zone
const BEYOND = 1e12; // no price or volume is as large
const LONGEST_NAME = 100; // characters
const DAY = /^\d{4}[-/]\d\d[-/]\d\d$/;
const MOST_TRIALS = 800; // an hour before the open, one in five seconds, and those before the close
const SIDES = new Map([[1, 1], [2, -1]]); // of `tick_type`: at the ask, at the bid
const RIGHTS = new Map([
  ["C", "call"], ["P", "put"], ["Call", "call"], ["Put", "put"],
  ["OptionRight.Call", "call"], ["OptionRight.Put", "put"],
]);
const LIMITS = new Map([[1, 1], [5, -1]]); // of `chg_type`: limit up, limit down

/** Of prices the session's; of a figure that nobody told NaN. */
export class Instrument {
  isFeed = false; // it stands for events that are no quotes
  name = "";
  target = ""; // the code under which a continuous contract trades
  price = NaN;
  trial = NaN; // of a trial match, until something is traded: never in bars, high or low
  trials = []; // the last of them, as trades
  reference = NaN; // what the change is measured from
  sinceOpen = true; // the reference is the first price of the session, not the one told
  limitUp = NaN;
  limitDown = NaN;
  open = NaN;
  high = NaN;
  low = NaN;
  average = NaN;
  volume = NaN; // of the session
  atBid = NaN; // volumes of the session's trades by their side
  atAsk = NaN;
  spot = NaN; // of a future or an option, what it is about
  spotAt = 0; // milliseconds since 1970 at which that was said
  unit = NaN;
  listed = 0; // of an option, how many strikes the exchange has at its expiry
  expiry = ""; // ISO date
  at = 0; // milliseconds since 1970 at which its last event was said
  time = NaN; // seconds since 1970 of its last trade, by the exchange
  moved = 0; // the direction of the last change of price
  depth = null; // the newest market_bidask
  sketch = new Series(); // for the small line in the list
  isRecalled = false; // it was asked what that was before the page was opened
  tape = new Tape();
  #hasTraded = false;
  #changeType = 0;
  #told = NaN; // what the worker says the change is
  #ticks = null;
  #seen = 0; // the most decimals of a price so far

  constructor(code) {
    this.code = code;
    this.market = marketOf(code);
    this.kind = kindOf(code);
    this.option = optionOf(code);
  }

  /** What is shown: in a trial match what would be traded. */
  get shown() {
    return this.isTrial ? this.trial : this.price;
  }

  get isTrial() {
    return Number.isFinite(this.trial);
  }

  get change() {
    return this.shown - this.reference;
  }

  /** NaN where a percentage makes no sense: of spreads, and from zero. */
  get percent() {
    if (isSpread(this.code) || !this.reference) return NaN;
    return (this.change / Math.abs(this.reference)) * 100;
  }

  /** 1: at the upper limit, -1: at the lower one, else 0. */
  get limit() {
    if (this.isTrial || !Number.isFinite(this.price)) return 0;
    if (this.price >= this.limitUp) return 1;
    if (this.price <= this.limitDown) return -1;
    return Number.isNaN(this.limitUp) ? this.#changeType : 0;
  }

  /** The step of prices at `price`; 0: nobody knows. */
  tick(price = this.shown) {
    return tickAt(this.#ticks, price);
  }

  /** Decimals with which a price near the present one is written. */
  get digits() {
    const step = this.tick(Number.isFinite(this.shown) ? this.shown : this.reference);
    return step ? Math.max(decimals(step), decimals(this.shown || 0)) : this.#seen;
  }

  /**
   * A trade; `now` is when it was said, in milliseconds since 1970.  The trade as
   * `{time, price, size}`, with `isTrial` for a trial match; null where it changes nothing.
   */
  traded(value, now) {
    const price = figure(value.price ?? value.close);
    if (!Number.isFinite(price) || isOdd(value)) return null;
    const time = exchangeTime(value.datetime, now);
    this.#see(price);
    this.trial = isTrial(value) ? price : NaN;
    if (this.isTrial) {
      const trial = { time, price, size: 0, isTrial: true };
      this.trials.push(trial);
      if (this.trials.length > MOST_TRIALS) this.trials.shift();
      return trial;
    }
    const total = figure(value.total_volume);
    const isLate = time < this.time;
    const size = this.#grown(total, figure(value.volume) || 0, isLate);
    if (size === null) return null;
    const trade = { time, price, size };
    if (isLate && !Number.isFinite(total)) return trade; // counts in its bar, not in the head
    this.#hasTraded = true;
    this.time = time;
    this.#price(price, size, time);
    this.#session(value, price, value.price_chg, now);
    this.#changeType = LIMITS.get(value.chg_type) ?? 0;
    this.tape.add(time, price, figure(value.volume) || size, SIDES.get(value.tick_type) ?? 0);
    return trade;
  }

  /** The best bids and offers. */
  quoted(value) {
    if (!isOdd(value)) this.depth = value;
  }

  /** The session so far; until a trade is seen, its price is the newest. */
  snapshot(value, now) {
    this.#call(value.name);
    const price = figure(value.close);
    if (!Number.isFinite(price)) return;
    if (!this.#hasTraded) this.#price(price, 0, exchangeTime(value.datetime, now));
    this.#limits(value);
    this.#session(value, price, value.change_price, now);
  }

  /** What is known of the contract itself: `market_contract`, or an entry of `/codes`. */
  contract(value) {
    this.#call(value.name);
    if (DAY.test(value.delivery_date)) this.expiry = value.delivery_date;
    const unit = figure(value.unit);
    if (unit > 0) this.unit = unit;
    this.#ticks = readTicks(value.tick) ?? this.#ticks;
    this.#limits(value);
    const strike = figure(value.strike_price);
    const side = RIGHTS.get(value.option_right);
    const listed = figure(value.listed_strikes);
    if (listed > 0) this.listed = listed;
    if (strike > 0 && side) {
      const series = this.option?.series ?? this.expiry;
      this.option = { root: "", ...this.option, strike, isCall: side === "call", series };
      this.kind = "options";
    }
    const reference = figure(value.reference);
    if (Number.isFinite(reference) && Number.isNaN(this.#told)) this.#refer(reference);
  }

  /** Bars from before the page was opened, as columns: the small line begins with them. */
  recall({ time, close, volume }) {
    const since = this.sketch;
    this.sketch = new Series();
    const last = time.at(-1) ?? -Infinity;
    time.forEach((at, i) => this.sketch.add(at, close[i], volume[i]));
    for (let i = 0; i < since.length; i++) {
      if (since.time[i] > last) this.sketch.add(since.time[i], since.close[i], since.volume[i]);
    }
  }

  /** Go on from `other`, which was the same contract under its other code. */
  absorb(other) {
    const isBetter = this.#hasTraded ? other.#hasTraded && other.at > this.at : true;
    if (isBetter) {
      for (const name of ["price", "trial", "moved", "open", "high", "low", "volume", "average",
        "atBid", "atAsk", "time"]) {
        if (!Number.isNaN(other[name])) this[name] = other[name];
      }
      this.#changeType = other.#changeType;
    }
    this.spotAt ||= other.spotAt;
    for (const name of ["limitUp", "limitDown", "spot", "unit"]) {
      if (Number.isNaN(this[name])) this[name] = other[name];
    }
    if (this.sinceOpen || !other.sinceOpen) {
      this.reference = other.reference;
      this.sinceOpen = other.sinceOpen;
    }
    if (other.sketch.length) this.sketch = other.sketch;
    if (other.tape.length) this.tape = other.tape;
    this.trials = other.trials.length ? other.trials : this.trials;
    this.name ||= other.name;
    this.expiry ||= other.expiry;
    this.depth = other.depth ?? this.depth;
    this.at = Math.max(this.at, other.at);
    this.#ticks ??= other.#ticks;
    this.#seen = Math.max(this.#seen, other.#seen);
    this.#hasTraded ||= other.#hasTraded;
  }

  #call(name) {
    if (typeof name === "string" && name) this.name = name.slice(0, LONGEST_NAME);
  }

  /** What a trade adds to the session's volume; null: it was counted before. */
  #grown(total, volume, isLate) {
    if (!Number.isFinite(total) || !Number.isFinite(this.volume) || !this.#hasTraded) return volume;
    if (total > this.volume) return total - this.volume;
    return isLate || total === this.volume ? null : volume; // less than before: a new session
  }

  #price(price, size, time) {
    if (price > this.price) this.moved = 1;
    else if (price < this.price) this.moved = -1;
    this.price = price;
    this.sketch.add(time, price, size);
    this.#see(price);
  }

  #see(price) {
    this.#seen = Math.max(this.#seen, decimals(price));
  }

  #limits(value) {
    const up = figure(value.limit_up), down = figure(value.limit_down);
    if (up > 0) this.limitUp = up;
    if (Number.isFinite(down) && down !== 0) this.limitDown = down;
  }

  #session(value, price, change, now) {
    if (Number.isFinite(figure(value.underlying_price))) this.spotAt = now;
    for (const [name, field] of FIELDS) {
      const found = figure(value[field]);
      if (Number.isFinite(found)) this[name] = found;
    }
    for (const name of ["open", "high", "low"]) this.#see(this[name] || 0);
    const told = figure(change);
    if (Number.isFinite(told)) {
      this.#told = told;
      this.#refer(price - told);
    } else if (Number.isFinite(figure(value.reference)) && Number.isNaN(this.#told)) {
      this.#refer(figure(value.reference));
    } else if (this.sinceOpen) {
      this.reference = this.open;
    }
  }

  #refer(reference) {
    // A difference of decimal figures has noise far behind the last digit.
    this.reference = Math.round(reference * 1e6) / 1e6;
    this.sinceOpen = false;
    this.#see(this.reference);
  }
}

/** Of a tick or a snapshot: our name and theirs. */
const FIELDS = [
  ["open", "open"], ["high", "high"], ["low", "low"], ["volume", "total_volume"],
  ["average", "avg_price"], ["average", "average_price"], ["spot", "underlying_price"],
  ["atBid", "bid_side_total_vol"], ["atAsk", "ask_side_total_vol"],
];

/** Whether nothing is traded: the exchange only tells what a match would be. */
const isTrial = ({ simtrade }) => simtrade === true || simtrade === 1;

/** Whether it is of odd lots, which are a market of their own: other prices, another book. */
const isOdd = ({ intraday_odd: odd }) => odd === true || odd === 1;

/** A number, or the text of one; NaN for anything else, and for what no market has. */
export function figure(value) {
  const found = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof found === "number" && Math.abs(found) < BEYOND ? found : NaN;
}

/** Seconds since 1970 of an exchange's time, which is Taipei's without a zone; else of `now`. */
export function exchangeTime(datetime, now) {
  if (typeof datetime !== "string") return now / 1000;
  const at = WITH_ZONE.test(datetime) ? Date.parse(datetime) : Date.parse(`${datetime}Z`) - TAIPEI;
  return Number.isNaN(at) ? now / 1000 : at / 1000;
}

/** Milliseconds since 1970 at which an event was said: it may be an old one, kept for later. */
export function said(timestamp, now) {
  const isDated = typeof timestamp === "string" && WITH_ZONE.test(timestamp);
  const at = isDated ? Date.parse(timestamp) : NaN;
  return at < now ? at : now; // no time, or from a clock ahead of ours: now
}
