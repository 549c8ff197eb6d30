/** What the worker's events lead to that are no quotes: facts, entries of the record, questions to the gateway. */

import { byId, mark } from "./ui/dom.js";
import { t } from "./ui/i18n.js";

/** The reason of a feed_status that only follows from the worker's end. */
const WORKER_GONE = "the worker is gone";

/**
 * By the event's name, what is done with its value.  `facts` are the page's; `refresh()` asks for the
 * status; `record`, `log` and `codes` are the parts of those names.
 */
export const reactions = ({ facts, refresh, record, log, codes }) => ({
  python_status: (value) => {
    if (facts.kind === "replay" && !value.replay) return; // of the day that was recorded
    if (value.status === "no credentials") facts.lacksKeys = true;
    else if (value.status === "starting" || value.status === "ready") facts.lacksKeys = false;
    refresh();
    log.refresh();
  },
  python_error: (value) => {
    const error = String(value.error ?? "");
    const at = value.timestamp;
    record.note(`error ${at} ${error}`, at, { level: "bad", text: () => t("history.error", { error }) });
  },
  feed_status: (value) => {
    refresh();
    const { market: name, status: state, reason: why, timestamp } = value;
    if (why === WORKER_GONE) return; // that is told already
    if (typeof state !== "string") return; // whoever may publish could have said it
    const level = { stale: "warn", live: "good" }[state] ?? "info";
    const text = () => t(`history.${state}`, { market: t(`market.${name}`) || name });
    record.note(`feed ${name} ${timestamp}`, timestamp, { level, text });
  },
  shioaji_ready: (value) => {
    facts.isDemo = value.demo === true;
    mark(byId("simulation"), "shown", value.simulation === true && !value.demo ? "yes" : "");
    refresh();
    codes.refresh();
  },
  heartbeat: ({ shioaji_connected: connected }) => {
    if (typeof connected === "boolean" && connected !== facts.broker) refresh();
  },
});
