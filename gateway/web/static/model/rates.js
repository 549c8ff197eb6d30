/** How many events of which name come a second, by what `/status` counts.  Knows no document. */

const WINDOW = 1000; // milliseconds over which is counted, at least

export class Rates {
  #before = null; // the events by name, and when they were told
  #rates = new Map();

  /**
   * `events` by name: `count`, `age` in seconds, `rate`; `now` in milliseconds of any clock.
   * Until we have counted ourselves, the gateway's own rates hold: averages of a minute.
   * Returns by name `{rate, age}`.
   */
  update(events, now) {
    this.#count(events, now);
    return new Map(Object.entries(events).map(([name, { rate, age }]) => (
      [name, { rate: this.#rates.get(name) ?? rate, age }])));
  }

  #count(events, now) {
    const before = this.#before;
    if (before && now - before.at < WINDOW) return;
    this.#before = { at: now, events };
    for (const [name, { count }] of Object.entries(events)) {
      const more = count - (before?.events[name]?.count ?? 0);
      if (before && more >= 0) this.#rates.set(name, (more * 1000) / (now - before.at));
    }
  }
}

/** All of them together. */
export const total = (rates) => [...rates.values()].reduce((sum, { rate }) => sum + rate, 0);
