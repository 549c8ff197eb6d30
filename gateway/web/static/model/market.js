/** What is known about all codes, from the worker's events.  Knows nothing of the document. */

import { Instrument, said } from "./instrument.js";

const MOST_CODES = 2000, LONGEST = 100; // codes, and characters of one: they come from outside

export class Market {
  codes = new Map();
  isDemo = false;
  #names = new Map(); // the code under which a contract trades -> the code that is shown
  #on;

  /**
   * `on` hears:
   * - `changed(instrument, isNew)`: of every event about a code
   * - `joined(other, instrument)`: `other` was found to be the same contract, and is no more
   * - `traded(instrument, trade)`: of every trade and trial match (see `Instrument.traded`)
   */
  constructor(on) {
    this.#on = on;
  }

  /** The instrument of `code`, which may be the one under which a contract trades. */
  find(code) {
    return this.codes.get(this.#names.get(code) ?? code);
  }

  /** By market, when its newest trade was: seconds since 1970, by the exchange. */
  get newest() {
    const found = {};
    for (const { market, time } of this.codes.values()) {
      if (!(time <= found[market]) && Number.isFinite(time)) found[market] = time;
    }
    return found;
  }

  /** Forget all codes: what comes is of another time. */
  forget() {
    this.codes.clear();
    this.#names.clear();
  }

  /** Take one event; `now` is the time in milliseconds since 1970. */
  event(name, value, now) {
    if (!HANDLERS.has(name)) return;
    if (value.demo === true) this.isDemo = true;
    const [instrument, isNew] = this.#meet(value.code);
    if (!instrument) return;
    const at = said(value.timestamp, now);
    if (name === CONTRACT) this.#alias(instrument, value.target_code);
    else instrument.at = Math.max(instrument.at, at);
    const trade = HANDLERS.get(name)(instrument, value, at);
    if (trade) this.#on.traded(instrument, trade);
    this.#on.changed(instrument, isNew);
  }

  /** What the gateway knows of a contract that is followed; of others nothing is shown. */
  known(code, facts) {
    const instrument = this.find(code);
    if (!instrument) return;
    instrument.contract(facts);
    this.#on.changed(instrument, false);
  }

  #meet(told) {
    if (typeof told !== "string" || told.length > LONGEST) return [];
    const code = this.#names.get(told) ?? told;
    const known = this.codes.get(code);
    if (known || this.codes.size >= MOST_CODES) return [known, false];
    const made = new Instrument(code);
    this.codes.set(code, made);
    return [made, true];
  }

  /** `instrument` trades under the code `target` from now on. */
  #alias(instrument, target = "") {
    const { code, target: before } = instrument;
    if (typeof target !== "string" || target.length > LONGEST) return;
    if (target === before || target === code) return;
    if (this.#names.has(target)) return; // another name of the same: the first is shown
    this.#names.delete(before);
    instrument.target = target;
    if (!target) return;
    this.#names.set(target, code);
    const other = this.codes.get(target);
    if (!other) return;
    this.codes.delete(target);
    instrument.absorb(other);
    this.#on.joined(other, instrument);
  }
}

const CONTRACT = "market_contract";

/** By the event's name; a trade is returned. */
const HANDLERS = new Map([
  ["market_tick", (instrument, value, at) => instrument.traded(value, at)],
  ["market_bidask", (instrument, value) => instrument.quoted(value)],
  ["market_snapshot", (instrument, value, at) => instrument.snapshot(value, at)],
  [CONTRACT, (instrument, value) => instrument.contract(value)],
]);
