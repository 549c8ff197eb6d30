/** The options of the codes that are known, by expiry and strike.  Knows nothing of the document. */

/**
 * Which instruments are options of which expiry: `[{series, expiry, strikes, listed}]`; `listed` is how
 * many strikes the exchange has, 0 where nobody tells.
 */
export function expiries(instruments) {
  const found = new Map();
  for (const each of instruments) {
    if (!each.option) continue;
    const { series, strike, isCall } = each.option;
    const group = found.get(series) ?? { series, expiry: "", strikes: new Map(), listed: 0 };
    found.set(series, group);
    group.expiry ||= each.expiry;
    group.listed = Math.max(group.listed, each.listed);
    const pair = group.strikes.get(strike) ?? { strike, call: null, put: null };
    pair[isCall ? "call" : "put"] = each;
    group.strikes.set(strike, pair);
  }
  const groups = [...found.values()];
  for (const group of groups) {
    group.strikes = [...group.strikes.values()].sort((a, b) => a.strike - b.strike);
  }
  return groups.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** By the day on which it ends, where it is known; else by what the code says. */
const key = ({ expiry, series }) => `${expiry || "9"} ${series.slice(4)} ${series}`;

/**
 * What the options are about: the index from the newest `underlying_price` (many strikes seldom
 * trade), else the price of the future of the same month, else of the nearest one.
 * `{price, source}`, or null.
 */
export function underlying(group, find) {
  let newest = null;
  for (const { call, put } of group.strikes) {
    for (const each of [call, put]) {
      if (each?.spot > 0 && !(each.spotAt <= newest?.spotAt)) newest = each;
    }
  }
  if (newest) return { price: newest.spot, source: "spot" };
  const month = /^TX\w (\d)-(\d\d)$/.exec(group.series);
  if (!month) return null;
  const letter = "ABCDEFGHIJKL"[Number(month[2]) - 1];
  const future = [find(`TXF${letter}${month[1]}`), find("TXFR1")].find((each) => each?.price > 0);
  return future ? { price: future.price, source: future.code } : null;
}
