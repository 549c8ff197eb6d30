/** Why there is no code in the list, in words. */

import { belief } from "./model/belief.js";
import { feeds } from "./model/events.js";
import { ending } from "./ops/exits.js";
import { moment, number } from "./ui/format.js";
import { t } from "./ui/i18n.js";

/** `{id, values}` of the page's facts: the name of the text, and what it tells; `rate`: events a second, or null. */
export function reason(facts, rate) {
  const { id, until } = belief(facts);
  const { state, freshness, lastExit, nextStartAt } = facts.status ?? {};
  if (["token", "wrongToken", "gone", "asking"].includes(id)) return { id };
  if (facts.lacksKeys) return { id: "keys" };
  if (feeds(freshness?.events ?? {}).length) return { id: "custom", values: { rate: number(rate ?? 0) } };
  if (state === "disabled") return { id: "noworker" };
  if (state === "fatal" || state === "backoff") {
    return { id: "down", values: { why: lastExit ? ending(lastExit) : "" } };
  }
  if (id === "closed" && until) {
    const start = nextStartAt ? t("empty.start", { time: moment(nextStartAt) }) : "";
    return { id, values: { time: moment(new Date(until)), start } };
  }
  return { id: "waiting" };
}
