/** Names of events: those that Market reads, those that the page hears besides, and all others. */

export const QUOTES = ["market_tick", "market_bidask", "market_snapshot", "market_contract"];
export const EVENTS = [...QUOTES, "python_status", "python_error", "shioaji_ready", "heartbeat", "feed_status"];
/** Names that are the worker's own business, and no feed of somebody's. */
const KNOWN = new Set([...EVENTS, "market_kbars", "contracts_loaded", "option_metadata", "other"]);

/** Of the events that `/status` counts by name those that are no quotes: `{name, at}`, in milliseconds since 1970. */
export const feeds = (events) =>
  Object.entries(events)
    .filter(([name]) => !KNOWN.has(name))
    .map(([name, { last }]) => ({ name, at: Date.parse(last) }));
