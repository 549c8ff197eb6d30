/** What is wrong at the moment: the cause, what comes next, the last line, and the cures. */

import { announce } from "../ui/announce.js";
import { byId, element } from "../ui/dom.js";
import { clock } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";
import { ending } from "./exits.js";

const MOST = 2; // banners at once

/** The buttons of a condition: what they open.  Only a control token may do the second kind. */
const CURES = {
  token: { opens: "open-token" },
  wrongToken: { opens: "open-token" },
  keys: { opens: "open-credentials", isControl: true },
  broker: { opens: "open-credentials", isControl: true },
  fatal: { opens: "worker-start", isControl: true },
  stopped: { opens: "worker-start", isControl: true },
  backoff: { opens: "worker-start", isControl: true },
  pause: { opens: "worker-start", isControl: true },
  closed: { opens: "worker-start", isControl: true },
};
/** Conditions that the log explains. */
const LOGGED = new Set(["fatal", "exited", "backoff", "pause", "unready"]);

export class Banner {
  #conditions = [];
  #announced = "";
  #mayControl = false;

  constructor() {
    onLanguage(() => this.#write());
  }

  /** The conditions of the moment; what is new is read out. */
  show(conditions, mayControl) {
    const before = JSON.stringify([this.#conditions, this.#mayControl]);
    this.#conditions = conditions;
    this.#mayControl = mayControl;
    if (JSON.stringify([conditions, mayControl]) !== before) this.#write();
  }

  #write() {
    const lines = this.#conditions.slice(0, MOST).map((each) => this.#line(each));
    const more = this.#conditions.length - MOST;
    if (more > 0) {
      lines.at(-1).append(element("small", { className: "more", textContent: `+${more}` }));
    }
    byId("conditions").replaceChildren(...lines);
    byId("conditions").hidden = !lines.length;
    this.#tell();
  }

  #line(condition) {
    const { id, level, values } = condition;
    const words = element("p", {}, element("span", { textContent: conditionText(condition) }));
    const last = LOGGED.has(id) ? values?.exit?.lastLine : "";
    if (last) {
      words.append(element("span", { className: "last" },
        t("alerts.lastLine"), element("code", { textContent: last })));
    }
    const line = element("li", { className: "condition" }, words);
    line.dataset.level = level;
    line.dataset.id = id;
    if (LOGGED.has(id)) {
      line.append(element("a", { className: "button", href: "#/ops/log", textContent: t("cure.log") }));
    }
    const cure = CURES[id];
    if (cure && (!cure.isControl || this.#mayControl)) line.append(button(cure.opens, t(`cure.${id}`)));
    return line;
  }

  /** Read out the worst, once, and that it is over. */
  #tell() {
    const serious = this.#conditions.filter(({ level }) => level !== "info");
    const ids = serious.map(({ id }) => id).join();
    document.documentElement.dataset.alarm = serious.length ? "yes" : "no";
    if (ids === this.#announced) return;
    this.#announced = ids;
    announce(serious.length ? conditionText(serious[0]) : t("alerts.clear"));
  }
}

function button(opens, text) {
  const made = element("button", { type: "button", textContent: text });
  made.addEventListener("click", () => byId(opens).click());
  return made;
}

/** A condition in words. */
function conditionText({ id, values = {} }) {
  return t(`condition.${id}`, {
    ...values,
    why: values.exit ? ending(values.exit) : "",
    time: values.nextStartAt ? clock(values.nextStartAt) : "",
    fields: (values.fields ?? []).map((name) => t(`credentials.${name}`)).join(" · "),
    markets: (values.markets ?? []).map((market) => t(`market.${market}`) || market).join(" · "),
  });
}
