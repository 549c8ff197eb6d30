/** Asks one of the gateway's routes regularly, and soon when something happened. */

import { ask } from "./api.js";

const EVERY = 2000; // milliseconds, where nothing else is said
const UNSEEN = 30_000; // milliseconds, at least, of a page that nobody sees: its alarms go on
const AT_MOST = 200; // milliseconds from one answer to the next question, whatever happens

export class Poll {
  #path;
  #told;
  #every;
  #timer;
  #answered = -AT_MOST;
  #isAsking = false;
  #again = false;

  /** `path()` is what to ask for; `told(answer, error)`: one of them is null; `every` so many milliseconds. */
  constructor(path, told, every = EVERY) {
    this.#path = path;
    this.#told = told;
    this.#every = every;
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
  }

  /** Ask soon. */
  refresh() {
    this.#again = this.#isAsking; // what is under way may be from before
    if (this.#isAsking) return;
    this.#wait(Math.max(0, this.#answered + AT_MOST - performance.now()), () => this.#ask());
  }

  async #ask() {
    this.#isAsking = true;
    const outcome = await ask(this.#path()).then(
      (answer) => [answer, null],
      (error) => [null, error],
    );
    this.#isAsking = false;
    this.#answered = performance.now();
    if (this.#again) this.refresh();
    else this.#wait(document.hidden ? Math.max(UNSEEN, this.#every) : this.#every, () => this.#ask());
    this.#told(...outcome);
  }

  #wait(milliseconds, then) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, milliseconds);
  }
}
