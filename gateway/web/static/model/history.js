/**
 * The bars of one code and interval: those that the gateway keeps, then live trades, without a seam.
 *
 * Theory of operation: trades that come while a question is under way are kept aside.  The answer
 * says up to which trade it holds (`newest`); what is kept and later is put on top.  Some seconds
 * after a bar has closed it is asked for again, and replaces ours: so what is shown equals what the
 * gateway has, whatever was missed or came late.  A connection that was lost is made good alike.
 */

import { Bars, PRICES } from "./bars.js";
import { barOf, isNight } from "./sessions.js";

const DAY = 86_400;
const MOST_ASIDE = 20_000; // trades
const SETTLED = 3000, SETTLED_SECONDS = 20_000; // milliseconds from a bar's close to its check
const AGAIN = 5000; // milliseconds after a question that failed
const OVER_WEEKEND = 4 * DAY; // from a night to the day on whose account it is

/** What may be chosen: the seconds of a bar, and what the gateway is asked for. */
export const INTERVALS = {
  "1s": { step: 1, asked: "1s" },
  "5s": { step: 5, asked: "1s" },
  "1m": { step: 60, asked: "1m" },
  "5m": { step: 300, asked: "5m" },
  "15m": { step: 900, asked: "15m" },
  "60m": { step: 3600, asked: "60m" },
  "1d": { step: DAY, asked: "1d" },
};

export class History {
  bars = new Bars();
  changes = []; // of a continuous code: `{time, code}` of each contract that followed another one
  state = "asking"; // "asking", "live", "none" (the gateway keeps no bars) or "failed"
  #ask;
  #changed;
  #aside = [];
  #isAsking = false;
  #timer;
  #confirmed = -Infinity; // the newest bar that is as the gateway has it
  #isCut = true; // there may be earlier ones
  #contracts = []; // which it stood for, as the gateway tells them, the first one first

  /**
   * `ask(path)` is a promise of what the gateway answers; `changed(how)` is called with "bar" when
   * only the newest bar differs, with "all" otherwise.
   */
  constructor(ask, { code, market, interval, session }, changed) {
    this.#ask = ask;
    this.#changed = changed;
    this.code = code;
    this.market = market;
    this.session = session;
    Object.assign(this, INTERVALS[interval]);
  }

  /** Ask for what is missing: all, or what is later than the last bar that was confirmed. */
  open() {
    this.#wait();
    this.#isAsking = true;
    this.#aside = [];
    const from = Number.isFinite(this.#confirmed) ? { from: this.#confirmed } : {};
    this.#question(from).then((answer) => this.#opened(answer), (error) => this.#failed(error));
  }

  /** Nobody looks any more. */
  close() {
    this.#wait();
    this.#isAsking = false;
    this.#aside = [];
    this.#changed = () => {};
  }

  /** Somebody looks again. */
  resume(changed) {
    this.#changed = changed;
    this.open();
  }

  /** A live trade. */
  trade(trade) {
    if (this.session && isNight(this.market, trade.time) !== (this.session === "night")) return;
    if (this.#isAsking && this.#aside.length < MOST_ASIDE) this.#aside.push(trade);
    const before = this.bars.last;
    this.#add(trade);
    const isNew = this.bars.last !== before;
    if (isNew && !this.#isAsking && this.state === "live") this.#checkLater();
    this.#changed(isNew ? "all" : "bar");
  }

  /** A trial match: it has a place in time, if bars are short enough, and is in no bar. */
  tried(time) {
    if (this.step > 60) return;
    this.bars.keepPlace(barOf(this.market, this.step, time));
    this.#changed("all");
  }

  /** Ask for bars before the first one, if there may be any. */
  earlier() {
    if (this.#isAsking || !this.#isCut || !this.bars.length) return;
    this.#isCut = false; // not twice at once
    this.#question({ to: this.bars.time[0] }).then(
      (answer) => {
        this.#isCut = answer.cut;
        this.#take(answer);
        this.#changed("all");
      },
      () => { this.#isCut = true; },
    );
  }

  #question(bounds) {
    const session = this.session ? { session: this.session } : {};
    const fields = { code: this.code, interval: this.asked, ...session, ...bounds };
    return this.#ask(`bars?${new URLSearchParams(fields)}`);
  }

  #opened(answer) {
    if (!this.#isAsking) return; // closed meanwhile
    this.#isAsking = false;
    this.state = "live";
    if (this.#confirmed === -Infinity) this.#isCut = answer.cut;
    const told = this.#take(answer);
    const newest = answer.newest ?? -Infinity;
    // Bars after the last one that was told are our own, and have these trades already.
    for (const trade of this.#aside) {
      if (trade.time > newest && this.#barOf(trade) <= told) this.#add(trade);
    }
    this.#aside = [];
    this.#confirm();
    this.#changed("all");
  }

  #failed(error) {
    if (!this.#isAsking) return;
    this.#isAsking = false;
    this.#aside = [];
    this.state = error.status === 404 ? "none" : "failed";
    if (this.state === "failed") this.#wait(AGAIN, () => this.open());
    this.#changed("all");
  }

  /** A bar has closed: have it confirmed when late trades have come; others may close meanwhile. */
  #checkLater() {
    if (this.#timer) return;
    this.#wait(this.step < 60 ? SETTLED_SECONDS : SETTLED, () => this.#check());
  }

  /** Do `work` after a while, and nothing that was to be done before. */
  #wait(milliseconds, work) {
    clearTimeout(this.#timer);
    this.#timer = work && setTimeout(() => {
      this.#timer = undefined;
      work();
    }, milliseconds);
  }

  async #check() {
    const from = Math.max(this.#confirmed, this.bars.length ? this.bars.time[0] : 0);
    try {
      const answer = await this.#question({ from });
      this.#take(answer, this.bars.last); // the bar that is open goes on with our own trades
      this.#confirm();
      this.#changed("all");
    } catch {
      this.#checkLater();
    }
  }

  #confirm() {
    const { bars } = this;
    this.#confirmed = bars.length > 1 ? bars.time[bars.length - 2] : -Infinity;
  }

  #add(trade) {
    this.bars.trade(this.#barOf(trade), trade.price, trade.size);
  }

  #barOf({ time }) {
    return this.#place(barOf(this.market, this.step, time));
  }

  /** Where a bar that begins at `begin` goes: a day goes on with its night. */
  #place(begin) {
    const { bars, step, market } = this;
    const { last } = bars;
    const isOfNight = step === DAY && !isNight(market, begin) && isNight(market, last);
    return isOfNight && begin > last && begin - last < OVER_WEEKEND ? last : begin;
  }

  /** Take what was told; when its last bar begins. */
  #take({ bars: columns, contracts = [] }, before) {
    const { step } = this;
    this.#stoodFor(contracts);
    const found = step === 5 || step === DAY ? joined(columns, step, this.market) : columns;
    this.bars.merge(found, before);
    return found.time.at(-1) ?? -Infinity;
  }

  /** Each answer tells of its own time only, and begins with a contract that may be known. */
  #stoodFor(contracts) {
    if (!contracts.length) return;
    const all = [...this.#contracts, ...contracts].sort((a, b) => a.from - b.from);
    this.#contracts = all.filter(({ code }, i) => code !== all[i - 1]?.code);
    this.changes = this.#contracts.slice(1).map(({ from, code }) => ({ time: from, code }));
  }
}

/** Bars joined to longer ones: seconds to five, and a night to the day on whose account it is. */
function joined(columns, step, market) {
  const found = { time: [], open: [], high: [], low: [], close: [], volume: [] };
  columns.time.forEach((time, i) => {
    const at = found.time.length - 1;
    const last = found.time[at] ?? -Infinity;
    const isSame = step === DAY
      ? isNight(market, last) && !isNight(market, time) && time - last < OVER_WEEKEND
      : barOf(market, step, time) === last;
    if (isSame) {
      found.high[at] = Math.max(found.high[at], columns.high[i]);
      found.low[at] = Math.min(found.low[at], columns.low[i]);
      found.close[at] = columns.close[i];
      found.volume[at] += columns.volume[i];
      return;
    }
    found.time.push(step === DAY ? time : barOf(market, step, time));
    for (const name of [...PRICES, "volume"]) found[name].push(columns[name][i]);
  });
  return found;
}
