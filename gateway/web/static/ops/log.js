/** The last lines that the worker printed: all or errors, filtered, followed until scrolled. */

import { Poll } from "../net/poll.js";
import { copy } from "../ui/copy.js";
import { byId, element, mark, Text } from "../ui/dom.js";
import { clock } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";

const LINES = 200; // asked for
const KEPT = 500; // shown
const NEAR = 40; // pixels from the end within which the newest line is followed
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
  #lines = []; // {text, said, stream, node}
  #stream = ""; // "": all
  #cause = ""; // the line that tells why the last worker ended
  #filter = byId("log-filter");
  #copied = new Text(byId("log-copied"));
  #errors = new Text(byId("log-errors"));
  #poll = new Poll(`logs?lines=${LINES}`, (answer) => answer && this.#add(answer.lines));

  constructor() {
    for (const button of document.querySelectorAll("[data-stream]")) {
      button.addEventListener("click", () => {
        this.#stream = button.dataset.stream;
        this.#write();
      });
    }
    this.#filter.addEventListener("input", () => this.#write());
    byId("log-copy").addEventListener("click", () => this.#copy());
    onLanguage(() => this.#write());
    this.#write();
  }

  /** Ask for the newest lines. */
  refresh() {
    this.#poll.refresh();
  }

  /** The exit that `/status` knows last: the line that tells why is marked. */
  ended(exit) {
    const cause = exit && !exit.asked ? exit.lastLine ?? "" : "";
    if (cause === this.#cause) return;
    this.#cause = cause;
    this.#mark();
  }

  #add(lines) {
    const fresh = added(this.#before, lines);
    this.#before = lines;
    if (!fresh.length) return;
    const made = fresh.map(line);
    this.#lines.push(...made);
    const over = this.#lines.splice(0, Math.max(0, this.#lines.length - KEPT));
    this.#keepPlace(() => {
      this.#box.append(...made.filter((each) => this.#shows(each)).map(({ node }) => node));
      for (const { node } of over) node.remove();
    });
    this.#mark();
    this.#count();
  }

  #shows({ text, stream }) {
    const wanted = this.#filter.value.trim().toLowerCase();
    return (!this.#stream || stream === this.#stream) &&
      (!wanted || text.toLowerCase().includes(wanted));
  }

  #write() {
    for (const button of document.querySelectorAll("[data-stream]")) {
      button.setAttribute("aria-pressed", String(button.dataset.stream === this.#stream));
    }
    const shown = this.#lines.filter((each) => this.#shows(each));
    this.#keepPlace(() => this.#box.replaceChildren(...shown.map(({ node }) => node)));
    this.#count();
  }

  #count() {
    const errors = this.#lines.filter(({ stream }) => stream === "stderr").length;
    this.#errors.set(errors ? String(errors) : "");
    byId("log-empty").hidden = this.#box.children.length > 0;
    byId("log-empty").textContent = this.#lines.length ? t("log.nothing") : t("log.empty");
  }

  /** The newest line stays in view, unless somebody has scrolled away from it. */
  #keepPlace(change) {
    const box = this.#box;
    const follows = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
    change();
    if (follows) box.scrollTop = box.scrollHeight;
  }

  #mark() {
    const found = this.#cause && this.#lines.findLast(({ said }) => said.startsWith(this.#cause));
    for (const each of this.#lines) mark(each.node, "cause", each === found ? "yes" : "");
  }

  #copy() {
    const text = this.#lines.filter((each) => this.#shows(each)).map((each) => each.text).join("\n");
    copy(text, this.#box, this.#copied);
  }
}

function line(text) {
  const [, at, from, said] = PARTS.exec(text) ?? [null, "", "", text];
  const node = element("div", { className: "line" });
  if (at) node.append(element("time", { dateTime: at, textContent: clock(at) }));
  node.append(element("span", { textContent: said }));
  const stream = from.endsWith("err") ? "stderr" : "stdout";
  mark(node, "from", stream);
  return { text, said, stream, node };
}
