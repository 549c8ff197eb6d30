/** Whether what is shown can be believed, as one state: the worst.  Knows nothing of the document. */

/**
 * `{id, level, since?, until?}` of the page's facts: `status`, `error` (of the last question),
 * `connected`, `lostAt`, `refused`, `isDemo`, `kind` (what is shown instead of the market), `tradedAt`
 * (by market, when its newest trade was).
 * `since` and `until` are milliseconds since 1970.
 */
export function belief(facts) {
  for (const check of CHECKS) {
    const found = check(facts);
    if (found) return found;
  }
  return { id: "live", level: "good" };
}

/** Why the gateway lets nobody in: "token" (none was brought) or "wrongToken"; null: it does. */
export function refusal({ refused, error }) {
  if (!refused && error?.status !== 401) return null;
  return error?.code === "token_wrong" ? "wrongToken" : "token";
}

/** Whether the gateway answers no more. */
export const isGone = ({ connected, error }) => connected === false || Boolean(error);

/** The names of the markets that should trade, and are silent. */
export const silentMarkets = (status) =>
  Object.entries(status?.freshness?.markets ?? {})
    .filter(([, { open, stale }]) => open && stale)
    .map(([name]) => name);

const CHECKS = [
  (facts) => {
    const id = refusal(facts);
    return id && { id, level: "bad" };
  },
  (facts) => isGone(facts) && { id: "gone", level: "bad", since: facts.lostAt },
  ({ connected, status }) => (connected === null || !status) && { id: "asking", level: "muted" },
  ({ isDemo, kind }) => {
    const shown = kind || (isDemo ? "demo" : "");
    return shown && { id: shown, level: shown === "demo" ? "info" : "replay" };
  },
  ({ status, tradedAt = {} }) => {
    const silent = silentMarkets(status).map((name) => tradedAt[name]);
    const since = Math.min(...silent.filter(Number.isFinite)); // the longest silence
    return silent.length > 0 && status.running && { id: "silent", level: "bad", since };
  },
  ({ status }) => {
    const all = Object.values(status.freshness?.markets ?? {});
    if (!all.length || all.some(({ open }) => open)) return null;
    const opens = all.map((each) => Date.parse(each.opens)).filter(Number.isFinite);
    return { id: "closed", level: "muted", until: opens.length ? Math.min(...opens) : null };
  },
  ({ status }) => {
    const { state, ready } = status;
    return state !== "disabled" && !ready && { id: "waiting", level: "warn" };
  },
];

/** Whether all that is shown is from before: nothing of it may look live. */
export const isOld = ({ id }) => id === "gone" || id === "token" || id === "wrongToken";
