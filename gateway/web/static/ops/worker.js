/** The worker's card: how it is, what comes next, and the buttons that act on it. */

import { ApiError, change } from "../net/api.js";
import { confirm } from "../ui/confirm.js";
import { byId, mark, Text } from "../ui/dom.js";
import { age, bytes, clock, duration, NONE, number } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";
import { ending } from "./exits.js";
import { problem } from "./problem.js";

const FACTS = ["next", "exit", "budget", "broker", "usage", "pid", "program"];
const MAY_START = new Set(["stopped", "exited", "backoff", "fatal"]);
const ENDED = new Set(["stopped", "stopping"]);
const GOOD_NEWS = 6000; // milliseconds for which it is shown
const ACTIONS = ["start", "stop", "restart"];

export class Worker {
  #status = null;
  #at = 0; // when the status was told
  #isReachable = true;
  #busy = false;
  #forget;
  #texts = new Map(
    ["state", "message", ...FACTS].map((name) => [name, new Text(byId(`worker-${name}`))]),
  );
  #costs = new Map([...ACTIONS, "keys"].map((name) => [name, new Text(byId(`cost-${name}`))]));
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

  /** What `/status` tells; null: the gateway does not answer. */
  update(status) {
    this.#isReachable = status !== null;
    if (status) {
      this.#status = status;
      this.#at = Date.now();
    }
    this.#write();
  }

  #write() {
    const status = this.#status;
    if (!status) return;
    const { state } = status;
    const shown = state === "running" && status.ready ? "ready" : state;
    this.#texts.get("state").set(t(`state.${shown}`) || shown);
    mark(byId("worker-state"), "worker", shown);
    const disabled = state === "disabled";
    if (!disabled) this.#writeFacts(status);
    for (const id of ["worker-facts", "worker-actions", "worker-costs"]) byId(id).hidden = disabled;
    byId("worker-disabled").hidden = !disabled;
    mark(byId("worker-costs"), "same", this.#isReachable && status.access.role === "control" ? "" : "yes");
    this.#allow("start", byId("worker-start"), MAY_START.has(state));
    this.#allow("stop", byId("worker-stop"), !ENDED.has(state));
    this.#allow("restart", byId("worker-restart"), true);
    this.#allow("keys", byId("open-credentials"), true);
  }

  #writeFacts(status) {
    const gone = (Date.now() - this.#at) / 1000;
    for (const name of FACTS) this.#texts.get(name).set(FACT[name](status, gone));
    byId("worker-program").title = made(status.program);
    mark(byId("worker-broker"), "level", status.broker.connected === false ? "bad" : "");
    const meter = byId("worker-meter");
    const { used, limit } = status.budget;
    meter.hidden = !limit;
    meter.max = limit || 1;
    meter.high = meter.max * 0.8;
    meter.value = used;
  }

  /** A button may be pressed, or the line below says why not. */
  #allow(action, button, isPossible) {
    const { access } = this.#status;
    const why = !this.#isReachable ? t("why.gone")
      : access.role !== "control" ? (access.name ? t("why.role", access) : t("why.token"))
      : isPossible ? "" : t(`why.${action}`);
    button.disabled = Boolean(why) || this.#busy;
    this.#costs.get(action).set(why || t(`cost.${action}`));
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

/** One fact each: of the status, `gone` seconds ago. */
const FACT = {
  next: ({ nextStartIn, nextStartAt, heldBy }, gone) => {
    if (nextStartIn === null) return NONE;
    const due = t("next.in", { time: clock(nextStartAt), left: duration(nextStartIn - gone) });
    return heldBy ? `${due} · ${heldBy}` : due;
  },
  exit: ({ lastExit }) => {
    if (!lastExit) return NONE;
    const ago = t("ago", { age: age((Date.now() - Date.parse(lastExit.at)) / 1000) });
    return `${ago} · ${lastExit.asked ? t("exit.asked") : ending(lastExit)}`;
  },
  budget: ({ budget }) => {
    const starts = `${budget.used} / ${budget.limit || "∞"}`;
    return budget.saved ? `${starts} · ${t("worker.saved", budget)}` : starts;
  },
  usage: ({ cpuPercent, memoryBytes, uptime }, gone) =>
    uptime === null || memoryBytes === null ? NONE
      : `${duration(uptime + gone)} · ${number(cpuPercent ?? 0, 1)}% · ${bytes(memoryBytes)}`,
  broker: ({ broker }) => {
    const { connected, since } = broker;
    if (connected === null) return NONE;
    const lasted = { age: age((Date.now() - Date.parse(since)) / 1000) };
    return connected ? t("broker.yes", lasted) : t("broker.no", lasted);
  },
  pid: ({ pid, generation, restarts, adoptedAt }) => {
    if (pid === null) return generation ? t("pid.gone", { generation }) : NONE;
    const process = t("pid.here", { pid, generation, restarts });
    return adoptedAt ? `${process} · ${t("worker.adopted", { time: clock(adoptedAt) })}` : process;
  },
  /** main.py · Python 3.11.7 · shioaji 1.2.5 */
  program: ({ program }) => {
    if (!program) return NONE;
    const { name, python, version, packages } = program;
    const [speaks = ""] = versions(packages); // shioaji, if it is there
    return [name.split("/").at(-1), python && `Python ${version}`, speaks].filter(Boolean).join(" · ");
  },
};

const versions = (packages) => Object.entries(packages).map(([name, version]) => `${name} ${version}`);

/** All that is known of what the worker is made of, a line each. */
function made(program) {
  if (!program) return "";
  const { name, python, packages } = program;
  return [name, python, ...versions(packages)].filter(Boolean).join("\n");
}
