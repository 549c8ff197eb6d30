/** What happened so far: alerts, actions of people, and alarms of this device, in one list. */

import { byId, element } from "../ui/dom.js";
import { clock } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";
import { ending } from "./exits.js";

const MOST = 100; // entries
const TOKEN = "token "; // before the name of one, in the audit

/** What an action was, by its path. */
const ACTIONS = {
  "/start-python": "start",
  "/stop-python": "stop",
  "/restart-python": "restart",
  "/set-sj-key": "keys",
  "/hand-over": "handOver",
  "/replay": "replay",
  "/alerts/test": "test",
};
const WHO = { "this machine": "here", "nobody known": "nobody" };

export class Record {
  #entries = new Map(); // key -> {at, level, kind, text(), more()}
  #kind = ""; // "": all

  constructor() {
    for (const button of document.querySelectorAll("[data-record]")) {
      button.addEventListener("click", () => {
        this.#kind = button.dataset.record;
        this.#write();
      });
    }
    onLanguage(() => this.#write());
    this.#write();
  }

  /**
   * Something of the `kind` alert, action or alarm happened at `at`; of one key the first counts.
   * `text()` says what, `more()` the second line.
   */
  note(key, at, { kind = "alert", level, text, more = () => "" }) {
    if (this.#entries.has(key)) return;
    this.#entries.set(key, { at: Date.parse(at) || Date.now(), level, kind, text, more });
    const newest = [...this.#entries].sort(([, a], [, b]) => b.at - a.at);
    this.#entries = new Map(newest.slice(0, MOST));
    if (this.#entries.has(key)) this.#write(); // or it is older than all that are kept
  }

  /** The exits that `/status` knows. */
  exits(exits) {
    for (const exit of exits ?? []) {
      this.note(`exit ${exit.at} ${exit.pid}`, exit.at, {
        level: exit.asked ? "info" : "bad",
        text: () => (exit.asked ? t("history.stopped") : t("history.exit", { why: ending(exit) })),
        more: () => (exit.asked ? "" : exit.lastLine ?? ""),
      });
    }
  }

  /** The control actions that `/status` knows. */
  actions(actions) {
    for (const action of actions ?? []) {
      const { at, path, outcome } = action;
      this.note(`action ${at} ${path} ${outcome}`, at, {
        kind: "action",
        level: outcome === "done" ? "info" : "warn",
        text: () => said(action),
        more: () => circumstances(action),
      });
    }
  }

  #write() {
    for (const button of document.querySelectorAll("[data-record]")) {
      button.setAttribute("aria-pressed", String(button.dataset.record === this.#kind));
    }
    const shown = [...this.#entries.values()].filter(({ kind }) => !this.#kind || kind === this.#kind);
    byId("history").replaceChildren(...shown.map(line));
    byId("history-empty").hidden = shown.length > 0;
  }
}

function line({ at, level, kind, text, more }) {
  const time = element("time", { dateTime: new Date(at).toISOString(), textContent: clock(at) });
  const second = more();
  const words = element("p", {}, element("b", { textContent: text() }),
    ...(second ? [element("small", { textContent: second })] : []));
  const made = element("li", {}, time, words);
  made.dataset.level = level;
  made.dataset.kind = kind;
  return made;
}

/** desk-2 restarted the worker */
function said({ path, who }) {
  const action = ACTIONS[path];
  const name = who.startsWith(TOKEN) ? who.slice(TOKEN.length) : t(`who.${WHO[who]}`) || who;
  return action ? t(`action.${action}`, { who: name }) : `${name} ${path}`;
}

/** from 192.168.1.20 · refused: wrong token */
function circumstances({ address, outcome, detail, forced }) {
  const became = detail
    ? t(`outcome.${outcome}Why`, { detail: detail === "wrong token" ? t("outcome.wrongToken") : detail })
    : t(`outcome.${outcome}`);
  const from = address ? t("record.from", { address }) : "";
  return [from, became, forced ? t("outcome.forced") : ""].filter(Boolean).join(" · ");
}
