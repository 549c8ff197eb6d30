/** The worker's card: how it is, and the buttons that act on it. */

import { ApiError, change } from "../net/api.js";
import { confirm } from "../ui/confirm.js";
import { byId, mark, Text } from "../ui/dom.js";
import { ending } from "./exits.js";
import { age, bytes, clock, duration, NONE, number } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";

const FACTS = ["uptime", "restarts", "exit", "next", "budget", "usage", "broker", "pid"];
const MAY_START = new Set(["stopped", "exited", "backoff", "fatal"]);
const GOOD_NEWS = 6000; // milliseconds for which it is shown
const ACTIONS = ["start", "stop", "restart"];

export class Worker {
  #status = null;
  #at = 0; // when the status was told
  #busy = false;
  #forget;
  #texts = new Map(
    ["state", "message", ...FACTS].map((name) => [name, new Text(byId(`worker-${name}`))]),
  );
  #changed;

  /** `changed()` is called when the worker was told to do something. */
  constructor(changed) {
    this.#changed = changed;
    for (const action of ACTIONS) {
      byId(`worker-${action}`).addEventListener("click", () => this.#act(action));
    }
    onLanguage(() => this.#write());
    setInterval(() => this.#write(), 1000);
  }

  /** What `/status` tells. */
  update(status) {
    this.#status = status;
    this.#at = Date.now();
    this.#write();
  }

  #write() {
    const status = this.#status;
    if (!status) return;
    const { state } = status;
    const shown = state === "running" && status.ready ? "ready" : state;
    const words = t(`state.${shown}`) || shown;
    this.#texts.get("state").set(words);
    mark(byId("worker-state"), "worker", shown);
    const disabled = state === "disabled";
    if (!disabled) this.#writeFacts(status);
    byId("worker-facts").hidden = disabled;
    byId("worker-disabled").hidden = !disabled;
    this.#allow("start", MAY_START.has(state));
    this.#allow("stop", !disabled && state !== "stopped" && state !== "stopping");
    this.#allow("restart", !disabled);
    byId("open-credentials").disabled = disabled;
  }

  #writeFacts(status) {
    const gone = (Date.now() - this.#at) / 1000;
    for (const name of FACTS) this.#texts.get(name).set(FACT[name](status, gone));
    const meter = byId("worker-meter");
    const { used, limit } = status.budget;
    meter.hidden = !limit;
    meter.max = limit || 1;
    meter.high = meter.max * 0.8;
    meter.value = used;
  }

  #allow(action, yes) {
    byId(`worker-${action}`).disabled = !yes || this.#busy;
  }

  async #act(action, force = false) {
    if (action !== "start" && !force && !(await confirm(`confirm.${action}`))) return;
    this.#say(t(`doing.${action}`), "");
    this.#busy = true;
    this.#write();
    try {
      await change(`${action}-python${force ? "?force=true" : ""}`);
      this.#say(t(`done.${action}`), "good");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#complain(error);
      if (error.nextStart && !force) this.#offerForce(error);
    } finally {
      this.#busy = false;
      this.#write();
      this.#changed();
    }
  }

  /** The broker asked for a pause: only a person may go against that, and should know it. */
  async #offerForce({ nextStart }) {
    if (await confirm("confirm.force", { time: clock(nextStart) })) this.#act("restart", true);
  }

  #complain(error) {
    this.#say(problem(error), "bad");
    byId("worker-message").scrollIntoView({ block: "nearest" });
    if (error.status === 401) byId("open-token").click();
  }

  #say(text, kind) {
    clearTimeout(this.#forget);
    if (kind === "good") this.#forget = setTimeout(() => this.#say("", ""), GOOD_NEWS);
    this.#texts.get("message").set(text);
    mark(byId("worker-message"), "kind", kind);
  }
}

/** An error of the gateway, as one text. */
export function problem(error) {
  if (!error.status) return t("problem.unreachable");
  if (error.status === 401) return t("problem.token");
  if (error.status === 403) return t("problem.forbidden");
  const details = typeof error.details === "string" ? error.details : "";
  return t("problem.said", { text: [error.message, details].filter(Boolean).join(": ") });
}

/** One fact each: of the status, `gone` seconds ago. */
const FACT = {
  uptime: ({ uptime }, gone) => (uptime === null ? NONE : duration(uptime + gone)),
  restarts: ({ restarts }) => String(restarts),
  exit: ({ lastExit }) => {
    if (!lastExit) return NONE;
    const ago = t("ago", { age: age((Date.now() - Date.parse(lastExit.at)) / 1000) });
    return `${ago} · ${lastExit.asked ? t("exit.asked") : ending(lastExit)}`;
  },
  next: ({ nextStartIn, nextStartAt, schedule }, gone) => {
    if (nextStartIn !== null) {
      return t("next.in", { time: clock(nextStartAt), left: duration(nextStartIn - gone) });
    }
    const planned = schedule?.nextRestart ?? schedule?.nextSession;
    return planned ? clock(planned) : NONE;
  },
  budget: ({ budget }) => {
    const starts = `${budget.used} / ${budget.limit || "∞"}`;
    return budget.saved ? `${starts} · ${t("worker.saved", budget)}` : starts;
  },
  usage: ({ cpuPercent, memoryBytes }) =>
    memoryBytes === null ? NONE : `${number(cpuPercent ?? 0, 1)}% · ${bytes(memoryBytes)}`,
  broker: ({ broker }) => {
    const { connected, since } = broker;
    if (connected === null) return NONE;
    const lasted = { age: age((Date.now() - Date.parse(since)) / 1000) };
    return connected ? t("broker.yes", lasted) : t("broker.no", lasted);
  },
  pid: ({ pid, generation, adoptedAt }) => {
    if (pid === null) return NONE;
    const process = t("pid", { pid, generation });
    return adoptedAt ? `${process} · ${t("worker.adopted", { time: clock(adoptedAt) })}` : process;
  },
};
