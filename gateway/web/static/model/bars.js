/** Bars of one code and interval: columns that grow, the oldest first. */

/** A bar's prices, in their order. */
export const PRICES = ["open", "high", "low", "close"];

const FIRST = 512, MOST = 60_000; // bars for which there is room, at first and at most
const COLUMNS = ["time", ...PRICES, "volume"];

export class Bars {
  length = 0;

  constructor() {
    this.#make(FIRST);
  }

  /** The time of the newest bar, in seconds since 1970; -Infinity: there is none. */
  get last() {
    return this.length ? this.time[this.length - 1] : -Infinity;
  }

  /** A trade in the bar that begins at `begin`. */
  trade(begin, price, volume) {
    const at = this.length - 1;
    if (begin > this.last) {
      this.#put(this.#room(), begin, price, price, price, price, volume);
      return;
    }
    const i = begin === this.last ? at : this.find(begin);
    if (i < 0 || this.time[i] !== begin) return; // late, and of a bar that nobody has
    if (Number.isNaN(this.close[i])) {
      this.#put(i, begin, price, price, price, price, volume);
      return;
    }
    if (price > this.high[i]) this.high[i] = price;
    if (price < this.low[i]) this.low[i] = price;
    if (i === at) this.close[i] = price;
    this.volume[i] += volume;
  }

  /** A place in time at which nothing was traded: a bar without prices, if there is none. */
  keepPlace(begin) {
    if (this.time[this.find(begin)] === begin) return;
    const none = [NaN];
    this.merge({ time: [begin], open: none, high: none, low: none, close: none, volume: [0] });
  }

  /**
   * Take bars as the gateway tells them, as columns.  They replace those of the same time; with
   * `before`, only bars that begin earlier are taken.
   */
  merge(columns, before = Infinity) {
    const { time } = columns;
    let count = time.length;
    while (count && time[count - 1] >= before) count -= 1;
    if (!count) return;
    let over = this.length + count - MOST; // too many: the oldest give way
    const kept = over > 0 ? 0 : this.find(time[0] - 1e-6) + 1; // those before the first one stay where they are
    const mine = this.#take(kept);
    this.#reserve(Math.min(MOST, kept + mine.length + count));
    let i = 0, j = 0;
    while (i < mine.length || j < count) {
      const isTold = i >= mine.length || (j < count && time[j] <= mine.time[i]);
      if (isTold && i < mine.length && time[j] === mine.time[i]) i += 1;
      if (over-- > 0) isTold ? (j += 1) : (i += 1);
      else this.#copy(isTold ? columns : mine, isTold ? j++ : i++);
    }
  }

  /** The place of the bar that begins at or before `at`; -1: there is none. */
  find(at) {
    let low = 0, high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.time[middle] <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #copy({ time, open, high, low, close, volume }, i) {
    this.#put(this.length++, time[i], open[i], high[i], low[i], close[i], volume[i]);
  }

  #put(i, time, open, high, low, close, volume) {
    this.time[i] = time;
    this.open[i] = open;
    this.high[i] = high;
    this.low[i] = low;
    this.close[i] = close;
    this.volume[i] = volume;
  }

  /** The place for one more. */
  #room() {
    if (this.length === MOST) {
      const kept = MOST >> 1;
      for (const name of COLUMNS) this[name].copyWithin(0, MOST - kept);
      this.length = kept;
    }
    this.#reserve(this.length + 1);
    return this.length++;
  }

  /** Take away all but the first `kept` bars: as columns. */
  #take(kept) {
    const taken = { length: this.length - kept };
    for (const name of COLUMNS) taken[name] = this[name].slice(kept, this.length);
    this.length = kept;
    return taken;
  }

  /** Have room for so many bars; where there was none, for as many again. */
  #reserve(count) {
    if (count <= this.time.length) return;
    const before = { ...this };
    this.#make(Math.min(MOST, 2 * count));
    for (const name of COLUMNS) this[name].set(before[name].subarray(0, this.length));
  }

  #make(room) {
    for (const name of COLUMNS) this[name] = new Float64Array(room);
  }
}
