/** Shows what is wrong, and what happened so far. */

import { byId, element } from "../ui/dom.js";
import { ending } from "./exits.js";
import { clock } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";

const MOST = 50; // entries of the history

/** The button of a condition: what it opens. */
const CURES = {
  token: "open-token",
  keys: "open-credentials",
  broker: "open-credentials",
  fatal: "worker-start",
  stopped: "worker-start",
  backoff: "worker-start",
  closed: "worker-start",
};

export class Alerts {
  #conditions = [];
  #history = new Map(); // key -> {at, level, text()}
  #announced = "";

  constructor() {
    onLanguage(() => {
      this.#writeConditions();
      this.#writeHistory();
    });
    this.#writeHistory();
  }

  /** The conditions of the moment; what is new is read out. */
  show(conditions) {
    const before = JSON.stringify(this.#conditions);
    this.#conditions = conditions;
    if (JSON.stringify(conditions) !== before) this.#writeConditions();
  }

  /** Something happened at `at`; of one key the first counts.  `text()` says what. */
  note(key, at, level, text) {
    if (this.#history.has(key)) return;
    this.#history.set(key, { at: Date.parse(at) || Date.now(), level, text });
    const newest = [...this.#history].sort(([, a], [, b]) => b.at - a.at);
    this.#history = new Map(newest.slice(0, MOST));
    this.#writeHistory();
  }

  /** The exits that `/status` knows. */
  exits(exits) {
    for (const exit of exits ?? []) {
      const level = exit.asked ? "info" : "bad";
      this.note(`exit ${exit.at} ${exit.pid}`, exit.at, level, () => exitText(exit));
    }
  }

  #writeConditions() {
    const lines = this.#conditions.map((condition) => {
      const line = element("li", { className: "condition" },
        element("span", { textContent: conditionText(condition) }));
      line.dataset.level = condition.level;
      const cure = CURES[condition.id];
      if (cure) line.append(button(cure, t(`cure.${condition.id}`)));
      return line;
    });
    byId("conditions").replaceChildren(...lines);
    byId("conditions").hidden = !lines.length;
    this.#announce();
  }

  /** Read out the worst, once, and that it is over. */
  #announce() {
    const serious = this.#conditions.filter(({ level }) => level !== "info");
    const ids = serious.map(({ id }) => id).join();
    document.documentElement.dataset.alarm = serious.length ? "yes" : "no";
    if (ids === this.#announced) return;
    this.#announced = ids;
    byId("announcer").textContent = serious.length ? conditionText(serious[0]) : t("alerts.clear");
  }

  #writeHistory() {
    const lines = [...this.#history.values()].map(({ at, level, text }) => {
      const time = element("time", {
        dateTime: new Date(at).toISOString(),
        textContent: clock(at),
      });
      const line = element("li", {}, time, element("span", { textContent: text() }));
      line.dataset.level = level;
      return line;
    });
    byId("history").replaceChildren(...lines);
    byId("history-empty").hidden = lines.length > 0;
  }
}

function button(opens, text) {
  const made = element("button", { type: "button", textContent: text });
  made.addEventListener("click", () => byId(opens).click());
  return made;
}

function conditionText({ id, values = {} }) {
  return t(`condition.${id}`, {
    ...values,
    why: values.exit ? ending(values.exit) : "",
    time: values.nextStartAt ? clock(values.nextStartAt) : "",
    fields: (values.fields ?? []).map((name) => t(`credentials.${name}`)).join(" · "),
    markets: (values.markets ?? []).map((market) => t(`market.${market}`) || market).join(" · "),
  });
}

function exitText(exit) {
  return exit.asked ? t("history.stopped") : t("history.exit", { why: ending(exit) });
}
