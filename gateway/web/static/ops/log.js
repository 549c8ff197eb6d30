/** The last lines of the worker and of the gateway's own log: by source or errors, filtered, followed until scrolled. */

import { Poll } from "../net/poll.js";
import { copy } from "../ui/copy.js";
import { byId, element, mark, Text } from "../ui/dom.js";
import { clock } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";

const FIRST = 200; // lines that are asked for at the beginning
const MORE = 1000; // and later, at most
const KEPT = 250; // of each source
const NEAR = 40; // pixels from the end within which the newest line is followed
const WORKER = "Python std"; // and "out" or "err": who says it
const STDERR = "Python stderr";
const LEVEL = /\b(?:DEBUG|INFO|WARNING|ERROR|CRITICAL|Traceback|\w+Error)\b/;
const PARTS = /^(\S+) (?:(WARN|ERROR|CRITICAL) )?\[([^\]]+)\] (.*)$/s;

export class Log {
  #box = byId("log");
  #sources = new Map(["worker", "gateway"].map((name) => [name, new Source(name, (lines) => this.#add(name, lines))]));
  #which = ""; // "": all; a source; "errors"
  #cause = ""; // the line that tells why the last worker ended
  #filter = byId("log-filter");
  #copied = new Text(byId("log-copied"));
  #errors = new Text(byId("log-errors"));

  constructor() {
    for (const button of document.querySelectorAll("[data-log]")) {
      button.addEventListener("click", () => {
        this.#which = button.dataset.log;
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
    for (const source of this.#sources.values()) source.refresh();
  }

  /** The exit that `/status` knows last: the line that tells why is marked. */
  ended(exit) {
    const cause = exit && !exit.asked ? exit.lastLine ?? "" : "";
    if (cause === this.#cause) return;
    this.#cause = cause;
    this.#mark();
  }

  #add(name, texts) {
    const { made, over } = this.#sources.get(name).take(texts);
    this.#keepPlace(() => {
      for (const { node } of over) node.remove();
      const shown = this.#shown();
      for (let at = shown.length - 1; at >= 0; at--) { // from the end: each goes before one that is there
        if (made.has(shown[at])) this.#box.insertBefore(shown[at].node, shown[at + 1]?.node ?? null);
      }
    });
    this.#mark();
    this.#count();
  }

  /** All lines, by their time. */
  #lines() {
    return [...this.#sources.values()].flatMap(({ lines }) => lines).sort((a, b) => a.at - b.at);
  }

  #shown() {
    const wanted = this.#filter.value.trim().toLowerCase();
    return this.#lines().filter(({ text, source, isError }) =>
      (!this.#which || this.#which === source || (this.#which === "errors" && isError)) &&
      (!wanted || text.toLowerCase().includes(wanted)));
  }

  #write() {
    for (const button of document.querySelectorAll("[data-log]")) {
      button.setAttribute("aria-pressed", String(button.dataset.log === this.#which));
    }
    this.#keepPlace(() => this.#box.replaceChildren(...this.#shown().map(({ node }) => node)));
    this.#count();
  }

  #count() {
    const lines = this.#lines();
    const errors = lines.filter(({ isError }) => isError).length;
    this.#errors.set(errors ? String(errors) : "");
    byId("log-empty").hidden = this.#box.children.length > 0;
    byId("log-empty").textContent = lines.length ? t("log.nothing") : t("log.empty");
  }

  /** The newest line stays in view, unless somebody has scrolled away from it. */
  #keepPlace(change) {
    const box = this.#box;
    const follows = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
    change();
    if (follows) box.scrollTop = box.scrollHeight;
  }

  #mark() {
    const { lines } = this.#sources.get("worker");
    const found = this.#cause && lines.findLast(({ said }) => said.startsWith(this.#cause));
    for (const each of lines) mark(each.node, "cause", each === found ? "yes" : "");
  }

  #copy() {
    copy(this.#shown().map(({ text }) => text).join("\n"), this.#box, this.#copied);
  }
}

/** The lines of one source, asked for from where the last answer ended. */
class Source {
  lines = [];
  #name;
  #next = 0;
  #poll;

  constructor(name, added) {
    this.#name = name;
    const path = () => `logs?source=${name}&since=${this.#next}&lines=${this.#next ? MORE : FIRST}`;
    this.#poll = new Poll(path, (answer) => {
      if (!answer) return;
      this.#next = answer.next;
      if (answer.lines.length) added(answer.lines);
    });
  }

  refresh() {
    this.#poll.refresh();
  }

  /** Keep `texts`, too: the lines that were made of them, and those that are not kept any more. */
  take(texts) {
    const made = new Set();
    for (const text of texts.slice(-KEPT)) {
      const each = line(this.#name, text, this.lines.at(-1));
      this.lines.push(each);
      made.add(each);
    }
    return { made, over: this.lines.splice(0, Math.max(0, this.lines.length - KEPT)) };
  }
}

/** One line; one without a time goes on with `before`, as a traceback does. */
function line(source, text, before) {
  const parts = PARTS.exec(text);
  const [, time, level = "", from, said] = parts ?? [];
  const node = element("div", { className: "line" });
  if (time) node.append(element("time", { dateTime: time, textContent: clock(time) }));
  node.append(element("span", { textContent: parts ? (source === "worker" ? said : `[${from}] ${said}`) : text }));
  const kind = parts ? kindOf({ level, from, said }, before) : before?.kind ?? "";
  mark(node, "kind", kind);
  return { text, source, kind, said: said ?? text, at: Date.parse(time) || before?.at || 0, isError: kind !== "", node };
}

/** "bad" is red, "warn" amber, "" neither: by the level, which a worker's line may name. */
export function kindOf({ level, from, said }, before) {
  if (from === STDERR && /^\s/.test(said)) return before?.kind ?? ""; // of a traceback
  const named = from.startsWith(WORKER) ? LEVEL.exec(said)?.[0] : "";
  const told = level || named || (from === STDERR ? "WARN" : "INFO");
  return told === "INFO" || told === "DEBUG" ? "" : told.startsWith("WARN") ? "warn" : "bad";
}
