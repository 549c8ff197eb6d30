/**
 * The prices of one code since the page was opened, as bars.
 *
 * There is room for a fixed number of bars; when it is used up, the bars are joined to
 * longer ones.  So the whole day stays in view, and memory does not grow.
 */

/** Seconds of one bar; each divides the next. */
const STEPS = [2, 10, 30, 60, 300, 600, 1800];
const ROOM = 240;

export class Series {
  #step = 0;

  constructor(room = ROOM) {
    this.room = room;
    this.length = 0;
    this.time = new Float64Array(room); // seconds since 1970 at which the bar begins
    this.open = new Float64Array(room);
    this.high = new Float64Array(room);
    this.low = new Float64Array(room);
    this.close = new Float64Array(room);
    this.volume = new Float64Array(room);
  }

  /** Seconds of one bar. */
  get step() {
    return STEPS[this.#step];
  }

  /** A trade at `time` (seconds since 1970). */
  add(time, price, volume) {
    const last = this.length - 1;
    const begins = time - (time % this.step);
    if (last >= 0 && begins <= this.time[last]) { // or late: it still counts
      this.#join(last, price, price, price, volume);
      return;
    }
    if (this.length === this.room) {
      this.#condense();
      this.add(time, price, volume);
      return;
    }
    this.#put(this.length++, begins, price, price, price, price, volume);
  }

  #condense() {
    if (this.#step < STEPS.length - 1) this.#step += 1;
    else this.#shift(); // days later: forget the oldest half
    const count = this.length;
    this.length = 0;
    for (let i = 0; i < count; i++) this.#take(i);
  }

  #take(i) {
    const begins = this.time[i] - (this.time[i] % this.step);
    const last = this.length - 1;
    if (last >= 0 && this.time[last] === begins) {
      this.#join(last, this.high[i], this.low[i], this.close[i], this.volume[i]);
    } else {
      const { open, high, low, close, volume } = this;
      this.#put(this.length++, begins, open[i], high[i], low[i], close[i], volume[i]);
    }
  }

  #shift() {
    const half = this.room >> 1;
    for (const each of [this.time, this.open, this.high, this.low, this.close, this.volume]) {
      each.copyWithin(0, half);
    }
    this.length -= half;
  }

  #put(i, time, open, high, low, close, volume) {
    this.time[i] = time;
    this.open[i] = open;
    this.high[i] = high;
    this.low[i] = low;
    this.close[i] = close;
    this.volume[i] = volume;
  }

  #join(i, high, low, close, volume) {
    if (high > this.high[i]) this.high[i] = high;
    if (low < this.low[i]) this.low[i] = low;
    this.close[i] = close;
    this.volume[i] += volume;
  }
}
