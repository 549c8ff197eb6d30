/** How many events of which name the worker sends. */

import { byId, element, Text } from "../ui/dom.js";
import { age, number } from "../ui/format.js";
import { t } from "../ui/i18n.js";

const MOST = 20; // names in the table
const WINDOW = 1000; // milliseconds over which is counted, at least

export class Rates {
  #lines = new Map();
  #before = null; // the events by name, and when they were told
  #rates = new Map();
  #total = new Text(byId("rates-total"));

  /** `events` by name: `count`, `age`, `rate`.  How many there are a second. */
  update(events) {
    this.#count(events);
    const known = Object.entries(events)
      .map(([name, event]) => ({ name, ...event, rate: this.#rates.get(name) ?? event.rate }))
      .sort((a, b) => b.count - a.count);
    this.#write(known.slice(0, MOST));
    const total = known.reduce((sum, { rate }) => sum + rate, 0);
    this.#total.set(t("rates.total", { rate: short(total) }));
    return total;
  }

  /** Until we have counted ourselves, the gateway's own rates hold: averages of a minute. */
  #count(events) {
    const now = performance.now();
    const before = this.#before;
    if (before && now - before.at < WINDOW) return;
    this.#before = { at: now, events };
    for (const [name, { count }] of Object.entries(events)) {
      const more = count - (before?.events[name]?.count ?? 0);
      if (before && more >= 0) this.#rates.set(name, (more * 1000) / (now - before.at));
    }
  }

  #write(known) {
    const most = Math.max(1, ...known.map(({ rate }) => rate));
    const lines = known.map((event) => {
      const line = this.#lines.get(event.name) ?? this.#add(event.name);
      line.rate.set(short(event.rate));
      line.count.set(number(event.count));
      line.age.set(age(event.age));
      line.row.style.setProperty("--part", `${Math.round((event.rate / most) * 100)}%`);
      return line.row;
    });
    const body = byId("rates-body");
    if (lines.some((row, i) => body.children[i] !== row) || lines.length !== body.children.length) {
      body.replaceChildren(...lines);
    }
  }

  #add(name) {
    const cells = ["rate", "count", "age"].map(() => element("td"));
    const [rate, count, since] = cells.map((cell) => new Text(cell));
    const row = element("tr", {}, element("th", { scope: "row", textContent: name }), ...cells);
    const line = { row, rate, count, age: since };
    this.#lines.set(name, line);
    return line;
  }
}

function short(rate) {
  return number(rate, rate > 0 && rate < 10 ? 1 : 0);
}
