/** What is wrong at the moment, the worst first.  Knows nothing of the document. */

import { isGone, refusal, silentMarkets } from "./belief.js";

/**
 * The conditions as `{id, level, values}`: `id` names the text, `level` is "bad", "warn" or
 * "info".  `facts`: `status`, `error` (of the last question), `connected`, `refused`,
 * `isDemo`, `kind` (what is shown instead of the market: "demo", "replay", "rehearsal"), `lacksKeys`,
 * `broker` (whether the worker says that it is connected to it).
 */
export function conditions(facts) {
  const found = CHECKS.map((check) => check(facts)).filter(Boolean);
  return BLIND.has(found[0]?.id) ? found.slice(0, 1) : found;
}

/** Conditions in which nothing is known of the others. */
const BLIND = new Set(["token", "wrongToken", "gateway"]);

const LIMIT = 0.8; // of the budget

const CHECKS = [
  (facts) => {
    const id = refusal(facts);
    return id && { id, level: "bad" };
  },
  (facts) => isGone(facts) && { id: "gateway", level: "bad" },
  ({ status }) => DOWN[status?.state]?.(status),
  ({ lacksKeys, broker, status }) => {
    if (!status?.running) return null;
    if (lacksKeys) return { id: "keys", level: "warn" };
    if (status.unconnected) return UNCONNECTED[status.unconnected];
    if (status.unready) return { id: "unready", level: "bad" };
    return broker === false && { id: "broker", level: "warn" };
  },
  ({ status }) => {
    const why = status?.cluster?.cutOff;
    return why && { id: "cutOff", level: "bad", values: { detail: why } };
  },
  ({ status }) => {
    const { namesake, gateway } = status?.cluster ?? {};
    return namesake && { id: "namesake", level: "bad", values: { gateway } };
  },
  ({ status }) => {
    const fields = status?.overriddenKeys ?? [];
    return fields.length > 0 && { id: "overridden", level: "warn", values: { fields } };
  },
  ({ status }) => {
    const markets = silentMarkets(status);
    return status?.running && markets.length > 0 && { id: "stale", level: "warn", values: { markets } };
  },
  ({ status }) => {
    const { used, limit } = status?.budget ?? {};
    if (!limit || used < limit * LIMIT) return null;
    return { id: "budget", level: "warn", values: { used, limit } };
  },
  // A replay has a bar that says so.
  ({ isDemo, kind }) => (kind || isDemo) && kind !== "replay" && { id: kind || "demo", level: "info" },
];

/** By the likely reason why the worker has not connected. */
const UNCONNECTED = {
  engineio3: { id: "engineio3", level: "bad" },
  proxy: { id: "proxy", level: "bad" },
  url: { id: "url", level: "bad" },
};

const PAUSES = new Set(["ban", "too-many-connections"]);

/** By the worker's state: there is none. */
const DOWN = {
  fatal: ({ lastExit }) => ({ id: "fatal", level: "bad", values: { exit: lastExit } }),
  exited: ({ lastExit }) => ({ id: "exited", level: "bad", values: { exit: lastExit } }),
  stopped: ({ nextStartAt }) =>
    nextStartAt
      ? { id: "closed", level: "info", values: { nextStartAt } }
      : { id: "stopped", level: "warn" },
  backoff: ({ lastExit, nextStartAt }) => ({
    id: PAUSES.has(lastExit?.class) ? "pause" : "backoff",
    level: "bad",
    values: { exit: lastExit, nextStartAt },
  }),
};
