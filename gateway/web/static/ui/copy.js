/** Into the clipboard. */

import { t } from "./i18n.js";

const SAID = 3000; // milliseconds for which it is said that something was copied

/**
 * Copy `text`; where the browser forbids that, what `shown` has is chosen.  What became of it
 * stands in `said`, a `Text`, for a while.
 */
export async function copy(text, shown, said) {
  try {
    await navigator.clipboard.writeText(text);
    said.set(t("copy.done"));
  } catch {
    getSelection().selectAllChildren(shown);
    said.set(t("copy.choose"));
  }
  setTimeout(() => said.set(""), SAID);
}
