/** What a code alone says: the kind of contract, and of an option its expiry, strike and side. */

const OPTION = /^([A-Z]{2}[A-Z0-9])(\d{3,6}(?:\.\d+)?)([A-X])(\d)$/;
const FUTURE = /^[A-Z]{2}[A-Z0-9](?:R[12]|[A-L]\d)(?:\/.+)?$/;

/** As the gateway tells futures from stocks, funds and warrants. */
export const marketOf = (code) => (/^\d{4}/.test(code) ? "stocks" : "futures");

/** "stocks", "options", "futures", or "other" for what nobody knows. */
export function kindOf(code) {
  if (/^\d{4}/.test(code)) return "stocks";
  if (OPTION.test(code)) return "options";
  return FUTURE.test(code) ? "futures" : "other";
}

/**
 * Of an option's code: `{root, strike, isCall, series}`, else null.  `series` names those that
 * expire together: the root, the month as two digits, the last digit of the year.
 */
export function optionOf(code) {
  const [, root, strike, letter, year] = OPTION.exec(code) ?? [];
  if (!root) return null;
  const place = letter.charCodeAt(0) - 65; // A to L are calls of the twelve months, M to X puts
  const month = String((place % 12) + 1).padStart(2, "0");
  return { root, strike: Number(strike), isCall: place < 12, series: `${root} ${year}-${month}` };
}

/** Whether a code is two contracts, bought and sold as one. */
export const isSpread = (code) => code.includes("/");
