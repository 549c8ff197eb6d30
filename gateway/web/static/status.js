/** Asks `/status` regularly, and at once when something happened. */

import { ask } from "./api.js";

const EVERY = 2000; // milliseconds; a page that nobody sees does not ask

export class Status {
  #told;
  #timer;
  #isAsking = false;
  #again = false;

  /** `told(status, error)`: the answer, or why there is none. */
  constructor(told) {
    this.#told = told;
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
  }

  /** Ask now. */
  async refresh() {
    this.#again = this.#isAsking; // what is under way may be from before
    if (this.#isAsking) return;
    this.#isAsking = true;
    clearTimeout(this.#timer);
    const [answer, error] = await answerOf(ask("status"));
    this.#isAsking = false;
    if (this.#again) this.refresh();
    else this.#timer = setTimeout(() => this.#due(), EVERY);
    this.#told(answer, error);
  }

  #due() {
    if (!document.hidden) this.refresh();
  }
}

const answerOf = (asked) =>
  asked.then(
    (answer) => [answer, null],
    (error) => [null, error],
  );
