/** Which bars are in view: how wide one is, and which is at the right edge. */

const NARROWEST = 0.2, WIDEST = 40, USUAL = 7; // pixels a bar
const MARGIN = 1.5; // bars of room beyond the newest one, at least
const LEAST_SEEN = 5; // bars that stay in view however far it is moved
const FLATTEST = 0.2, TALLEST = 8;

export class View {
  pitch = USUAL;
  isFollowing = true; // the newest bar is at the right edge
  stretch = 1; // of prices: how much taller than what fits
  room = 0; // pixels that stay free beyond the newest bar
  #end = 0; // the place at the right edge
  #anchor = null; // while not following: the time at the left edge, and the part of its bar

  /** Settle for `bars` on `width` pixels: what is at the left edge stays there. */
  settle(bars, width) {
    if (this.isFollowing) {
      this.#end = this.#newest(bars);
    } else if (this.#anchor) {
      this.#end = bars.find(this.#anchor.time) + this.#anchor.part + width / this.pitch;
    }
  }

  /** The place at `x` pixels of `width`. */
  place(x, width) {
    return this.#end - (width - x) / this.pitch;
  }

  /** The pixel of the middle of bar `i`. */
  x(i, width) {
    return width - (this.#end - i - 0.5) * this.pitch;
  }

  /** Move by `pixels`, to the right for later ones to come into view. */
  pan(pixels, bars, width) {
    this.#move(this.#end + pixels / this.pitch, bars, width);
  }

  /** Make bars `factor` times as wide; what is at `x` stays there. */
  zoom(factor, x, bars, width) {
    const place = this.place(x, width);
    const isAtEnd = this.isFollowing;
    this.pitch = Math.min(WIDEST, Math.max(NARROWEST, this.pitch * factor));
    if (isAtEnd) this.settle(bars, width);
    else this.#move(place + (width - x) / this.pitch, bars, width);
  }

  /** Show all bars, at most `most` of them. */
  fit(bars, width, most) {
    const count = Math.max(20, Math.min(bars.length, most));
    this.pitch = Math.min(WIDEST, Math.max(NARROWEST, width / (count + MARGIN)));
    this.follow();
  }

  /** The newest bar to the right edge, and prices as they fit. */
  follow() {
    this.isFollowing = true;
    this.stretch = 1;
    this.#anchor = null;
  }

  /** Bring bar `i` into view. */
  reveal(i, bars, width) {
    const x = this.x(i, width);
    if (x < 0) this.pan(x - this.pitch, bars, width);
    else if (x > width) this.pan(x - width + this.pitch, bars, width);
  }

  /** Make prices `factor` times as tall. */
  pull(factor) {
    this.stretch = Math.min(TALLEST, Math.max(FLATTEST, this.stretch * factor));
  }

  /** The place at the right edge while the newest bar is followed. */
  #newest(bars) {
    return bars.length + Math.max(MARGIN, this.room / this.pitch);
  }

  #move(end, bars, width) {
    const newest = this.#newest(bars);
    const seen = width / this.pitch;
    this.isFollowing = end >= newest;
    this.#end = Math.max(Math.min(end, newest), Math.min(LEAST_SEEN, bars.length));
    const left = this.#end - seen;
    const i = Math.max(0, Math.min(bars.length - 1, Math.floor(left)));
    this.#anchor = bars.length ? { time: bars.time[i], part: left - i } : null;
  }
}
