/** What is known about each code, from the worker's events.  Knows nothing of the document. */

import { decimals } from "../ui/format.js";
import { Series } from "./series.js";

const MOST_CODES = 2000; // the names come from outside
const WITH_ZONE = /(?:Z|[+-]\d\d:?\d\d)$/;

/** As the gateway tells futures from stocks, funds and warrants. */
export const marketOf = (code) => (/^\d{4}/.test(code) ? "stocks" : "futures");

/** One code. */
class Instrument {
  name = "";
  target = ""; // the code under which a continuous contract trades
  price = NaN;
  trial = NaN; // of a trial match, until something is traded: never in bars, high or low
  reference = NaN; // what the change is measured from
  sinceOpen = true; // the reference is the first price of the session, not the close before it
  open = NaN;
  high = NaN;
  low = NaN;
  volume = NaN; // of the session
  digits = 0;
  at = 0; // milliseconds since 1970 of its last event
  moved = 0; // the direction of the last change of price
  depth = null; // the newest market_bidask
  ticks = new Series();
  #hasTraded = false;

  constructor(code) {
    this.code = code;
    this.market = marketOf(code);
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

  get percent() {
    return (this.change / this.reference) * 100;
  }

  /** A trade. */
  tick(value, now) {
    const price = figure(value.price ?? value.close);
    if (!Number.isFinite(price)) return;
    this.trial = isTrial(value) ? price : NaN;
    if (this.isTrial) {
      this.digits = Math.max(this.digits, decimals(price));
      return;
    }
    this.#hasTraded = true;
    this.#price(price, figure(value.volume) || 0, now);
    this.#session(value, price, value.price_chg);
  }

  /** The session so far; until a trade is seen, its price is the newest. */
  snapshot(value, now) {
    this.name = typeof value.name === "string" ? value.name : this.name;
    const price = figure(value.close);
    if (!Number.isFinite(price)) return;
    if (!this.#hasTraded) this.#price(price, 0, now);
    this.#session(value, price, value.change_price);
  }

  /** What is known of the contract itself. */
  contract(value) {
    this.name = typeof value.name === "string" ? value.name : this.name;
    const reference = figure(value.reference);
    if (this.sinceOpen && Number.isFinite(reference)) {
      this.reference = reference;
      this.sinceOpen = false;
    }
  }

  /** Go on from `other`, which was the same contract under its other code. */
  absorb(other) {
    const isBetter = this.#hasTraded ? other.#hasTraded && other.at > this.at : true;
    for (const name of ["price", "trial", "moved", "open", "high", "low", "volume"]) {
      if (isBetter && !Number.isNaN(other[name])) this[name] = other[name];
    }
    if (this.sinceOpen || !other.sinceOpen) {
      this.reference = other.reference;
      this.sinceOpen = other.sinceOpen;
    }
    if (other.ticks.length) this.ticks = other.ticks;
    this.name ||= other.name;
    this.depth = other.depth ?? this.depth;
    this.digits = Math.max(this.digits, other.digits);
    this.at = Math.max(this.at, other.at);
    this.#hasTraded ||= other.#hasTraded;
  }

  #price(price, volume, now) {
    if (price > this.price) this.moved = 1;
    else if (price < this.price) this.moved = -1;
    this.price = price;
    this.ticks.add(now / 1000, price, volume);
    this.digits = Math.max(this.digits, decimals(price));
  }

  #session(value, price, change) {
    for (const name of ["open", "high", "low"]) {
      const found = figure(value[name]);
      if (Number.isFinite(found)) {
        this[name] = found;
        this.digits = Math.max(this.digits, decimals(found));
      }
    }
    const volume = figure(value.total_volume);
    if (Number.isFinite(volume)) this.volume = volume;
    const told = figure(change);
    if (Number.isFinite(told)) {
      this.reference = price - told;
      this.sinceOpen = false;
    } else if (this.sinceOpen) {
      this.reference = this.open;
    }
  }
}

export class Market {
  codes = new Map();
  isDemo = false;
  #names = new Map(); // the code under which a contract trades -> the code that is shown
  #changed;
  #joined;

  /**
   * `changed(instrument, isNew)` hears of every event about a code; `joined(other, instrument)`
   * when `other` was found to be the same contract, and is no more.
   */
  constructor(changed, joined) {
    this.#changed = changed;
    this.#joined = joined;
  }

  /** Forget all codes: what comes is of another time. */
  forget() {
    this.codes.clear();
    this.#names.clear();
  }

  /** Take one event; `now` is the time in milliseconds since 1970. */
  event(name, value, now) {
    const code = this.#names.get(value.code) ?? value.code;
    const handle = HANDLERS.get(name);
    if (typeof code !== "string" || !handle) return;
    if (value.demo === true) this.isDemo = true;
    let instrument = this.codes.get(code);
    const isNew = !instrument;
    if (isNew) {
      if (this.codes.size >= MOST_CODES) return;
      instrument = new Instrument(code);
      this.codes.set(code, instrument);
    }
    if (name === CONTRACT) {
      this.#alias(instrument, value.target_code);
    } else {
      instrument.at = Math.max(instrument.at, said(value.timestamp, now));
    }
    handle(instrument, value, said(value.timestamp, now));
    this.#changed(instrument, isNew);
  }

  /** `instrument` trades under the code `target` from now on. */
  #alias(instrument, target = "") {
    const { code, target: before } = instrument;
    if (typeof target !== "string" || target === before || target === code) return;
    if (this.#names.has(target)) return; // another name of the same: the first is shown
    this.#names.delete(before);
    instrument.target = target;
    if (!target) return;
    this.#names.set(target, code);
    const other = this.codes.get(target);
    if (!other) return;
    this.codes.delete(target);
    instrument.absorb(other);
    this.#joined(other, instrument);
  }
}

const CONTRACT = "market_contract";

const HANDLERS = new Map([
  ["market_tick", (instrument, value, at) => instrument.tick(value, at)],
  ["market_bidask", (instrument, value) => (instrument.depth = value)],
  ["market_snapshot", (instrument, value, at) => instrument.snapshot(value, at)],
  [CONTRACT, (instrument, value) => instrument.contract(value)],
]);

/** Whether nothing is traded: the exchange only tells what a match would be. */
const isTrial = ({ simtrade }) => simtrade === true || simtrade === 1;

/** A number, or the text of one; NaN for anything else. */
export function figure(value) {
  if (typeof value === "number") return value;
  return typeof value === "string" && value !== "" ? Number(value) : NaN;
}

/** When the event was said: it may be an old one, kept for those who come late. */
function said(timestamp, now) {
  const isDated = typeof timestamp === "string" && WITH_ZONE.test(timestamp);
  const at = isDated ? Date.parse(timestamp) : NaN;
  return at < now ? at : now; // no time, or from a clock ahead of ours: now
}
