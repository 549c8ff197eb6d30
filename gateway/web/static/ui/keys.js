/** Keys for the whole page.  Single letters rest while a field has the focus, or when switched off. */

import { byId, element } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { browser } from "./store.js";

const works = new Map();
const OFF = "off";

/**
 * Call `work` when `key` is pressed; letters in lower case.  Where it returns false it had nothing to
 * do, and the key does what it always does.
 */
export const onKey = (key, work) => works.set(key, work);

/** What the list of keys says: keys, and the name of the text. */
const LIST = [
  ["M  O", "views"], ["/", "find"], ["↑ ↓", "rows"], ["1 – 7", "interval"], ["L", "kind"],
  ["A", "averages"], ["S", "star"], ["N", "alarm"], ["B", "board"], ["0", "newest"], ["R", "sort"],
  ["← →  Home  End", "bars"], ["↑ ↓  Shift ↑ ↓  Delete", "lines"], ["+ −", "zoom"],
  ["Alt ← →", "pan"], ["Esc", "leave"], ["Space  ,  .  <  >", "replay"], ["?", "help"],
];

/** Make the keys and their list work. */
export function listen() {
  const box = byId("keys-on");
  box.checked = browser.get("keys") !== OFF;
  box.addEventListener("change", () => browser.set("keys", box.checked ? "" : OFF));
  const open = () => byId("keys").showModal();
  byId("open-keys").addEventListener("click", open);
  onKey("?", open);
  onLanguage(describe);
  describe();
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest("input:not([type=checkbox]), select, textarea, dialog")) return;
    if (key === " " && target.closest("button, a, summary, [tabindex='0']")) return; // its own key
    const work = box.checked && works.get(key.length === 1 ? key.toLowerCase() : key);
    if (work && work() !== false) event.preventDefault();
  });
}

function describe() {
  byId("keys-list").replaceChildren(
    ...LIST.map(([keys, name]) =>
      element("div", {},
        element("dt", {}, element("kbd", { textContent: keys })),
        element("dd", { textContent: t(`key.${name}`) }))),
  );
}
