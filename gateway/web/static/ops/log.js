/** The last lines that the worker printed. */

import { byId, element } from "../ui/dom.js";
import { clock } from "../ui/format.js";
import { Poll } from "../net/poll.js";

const LINES = 200; // asked for
const KEPT = 600; // shown
const PARTS = /^(\S+) \[(Python std(?:out|err))\] (.*)$/s;

/**
 * The lines of `after` that are not in `before`; both are tails of the same log, so they
 * overlap unless more was printed than a tail holds.
 */
export function added(before, after) {
  for (let start = Math.max(0, before.length - after.length); start < before.length; start++) {
    const overlap = before.length - start;
    if (after.slice(0, overlap).every((text, i) => text === before[start + i])) {
      return after.slice(overlap);
    }
  }
  return after;
}

export class Log {
  #box = byId("log");
  #before = [];
  #poll = new Poll(`logs?lines=${LINES}`, (answer) => answer && this.#add(answer.lines));

  /** Ask for the newest lines. */
  refresh() {
    this.#poll.refresh();
  }

  #add(lines) {
    const fresh = added(this.#before, lines);
    this.#before = lines;
    if (!fresh.length) return;
    const box = this.#box;
    const follows = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    box.append(...fresh.map(line));
    while (box.children.length > KEPT) box.firstChild.remove();
    if (follows) box.scrollTop = box.scrollHeight;
    byId("log-empty").hidden = true;
  }
}

function line(text) {
  const [, at, stream, said] = PARTS.exec(text) ?? [null, "", "", text];
  const made = element("div", { className: "line" });
  if (at) made.append(element("time", { dateTime: at, textContent: clock(at) }));
  made.append(element("span", { textContent: said }));
  if (stream.endsWith("err")) made.dataset.stream = "stderr";
  return made;
}
