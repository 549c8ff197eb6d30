/**
 * What the small lines in the list show of a session before the page was opened: bars that the gateway
 * keeps, asked for one code after the other, and only for those in view.
 */

import { session } from "./sessions.js";

const INTERVAL = "5m";

export class Recall {
  #ask;
  #changed;
  #waiting = new Set();
  #isAsking = false;
  #isOff = false; // the gateway keeps no bars

  /** `ask(path)` is a promise of what the gateway answers; `changed(instrument)`: it has another line. */
  constructor(ask, changed) {
    this.#ask = ask;
    this.#changed = changed;
  }

  /** `instrument` is in view. */
  want(instrument) {
    if (instrument.isRecalled || this.#isOff || !Number.isFinite(instrument.time)) return;
    this.#waiting.add(instrument);
    this.#next();
  }

  #next() {
    const [instrument] = this.#waiting;
    if (!instrument || this.#isAsking || this.#isOff) return;
    this.#waiting.delete(instrument);
    this.#isAsking = true;
    instrument.isRecalled = true; // once, whatever comes of it
    this.#recall(instrument).finally(() => {
      this.#isAsking = false;
      this.#next();
    });
  }

  async #recall(instrument) {
    const { code, market, time } = instrument;
    const from = session(market, time)?.open ?? time;
    try {
      const { bars } = await this.#ask(`bars?${new URLSearchParams({ code, interval: INTERVAL, from })}`);
      instrument.recall(bars);
      this.#changed(instrument);
    } catch (error) {
      this.#isOff = error.status === 404;
    }
  }
}
