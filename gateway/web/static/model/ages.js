/** How old the price of a code is, by what the gateway tells of its market. */

import { belief, isOld } from "./belief.js";
import { byGateway, now } from "./clock.js";

const AT_REST = 60; // seconds after a trade in which nobody says that a code is closed, whatever the hours

/**
 * Of the page's facts (see `belief`): `isOld(instrument)`, `isClosed(instrument)`, `opens(instrument)` (when
 * its market opens again), `since` (nothing at all is heard since then, or null); in seconds since 1970.
 */
export function ages(facts) {
  const all = isOld(belief(facts));
  const { stale = [], silentCodes = [], markets = {} } = facts.status?.freshness ?? {};
  const silent = new Set(silentCodes);
  return {
    isOld: ({ market, code, target }) => all || silent.has(code) || silent.has(target) ||
      (stale.includes(market) && markets[market]?.open !== false),
    isClosed: ({ market, time }) => !facts.kind && !facts.isDemo && markets[market]?.open === false &&
      !(now() - time < AT_REST),
    opens: ({ market }) => Date.parse(markets[market]?.opens) / 1000,
    since: all && facts.lostAt ? byGateway(facts.lostAt) : null,
  };
}
