/** The token: kept while the tab is open, or on this device where somebody wants that. */

import { browser, tab } from "./store.js";

const NAME = "token";

/** The token that goes with every request; "": none. */
export const token = () => tab.get(NAME) || browser.get(NAME);

/** Whether it is kept on this device. */
export const isKept = () => Boolean(browser.get(NAME));

/** Use `value` from now on; `isLasting`: on this device, also after the tab is closed. */
export function keep(value, isLasting) {
  tab.set(NAME, value);
  browser.set(NAME, isLasting ? value : "");
}
