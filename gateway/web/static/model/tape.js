/** The last trades of one code, the newest at the end; room grows up to a bound. */

const FIRST = 16, MOST = 200;
const COLUMNS = ["time", "price", "size", "side"];

export class Tape {
  length = 0;
  count = 0; // of all that were ever added

  constructor() {
    for (const name of COLUMNS) this[name] = new Float64Array(FIRST);
  }

  /** A trade; `side` is 1 at the ask, -1 at the bid, 0 for nobody knows. */
  add(time, price, size, side) {
    this.count += 1;
    if (this.length === MOST) {
      for (const name of COLUMNS) this[name].copyWithin(0, 1);
      this.length -= 1;
    } else if (this.length === this.time.length) {
      for (const name of COLUMNS) {
        const more = new Float64Array(Math.min(MOST, 2 * this.length));
        more.set(this[name]);
        this[name] = more;
      }
    }
    const i = this.length++;
    this.time[i] = time;
    this.price[i] = price;
    this.size[i] = size;
    this.side[i] = side;
  }
}
