/** The language of the page: what the browser prefers, until somebody chooses. */

import enAlarms from "../text/en/alarms.js";
import enCommon from "../text/en/common.js";
import enMarket from "../text/en/market.js";
import enOps from "../text/en/ops.js";
import zhAlarms from "../text/zh-TW/alarms.js";
import zhCommon from "../text/zh-TW/common.js";
import zhMarket from "../text/zh-TW/market.js";
import zhOps from "../text/zh-TW/ops.js";
import { browser } from "./store.js";

const TEXTS = {
  en: { ...enCommon, ...enMarket, ...enOps, ...enAlarms },
  "zh-TW": { ...zhCommon, ...zhMarket, ...zhOps, ...zhAlarms },
};
const ATTRIBUTES = ["aria-label", "aria-roledescription", "placeholder", "title"];

const listeners = [];
let current = preferred();

function preferred() {
  const chosen = browser.get("language");
  if (chosen in TEXTS) return chosen;
  return /^zh\b/i.test(navigator.language) ? "zh-TW" : "en";
}

/** The language's tag. */
export const language = () => current;

/** The text of that name with its {placeholders} filled in; "" if there is none. */
export function t(name, values = {}) {
  const text = TEXTS[current][name] ?? "";
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

/** Call `listener` when the language is another one. */
export const onLanguage = (listener) => listeners.push(listener);

/**
 * Speak `tag` from now on: what has to be done for that, a part of the page each.  Each panel gets the
 * language of its own first: when the document has it, too, their letters need not be laid out again.
 */
export function speak(tag) {
  current = tag;
  browser.set("language", tag);
  const panels = [...document.querySelectorAll(".panel")].map((panel) => () => translate(panel));
  return [...panels, () => translate(), ...listeners];
}

/** Fill in what the document itself says in `part`: data-t="name", data-t-title="name" and so on. */
export function translate(part = document.documentElement) {
  part.lang = current;
  for (const each of part.querySelectorAll("[data-t]")) {
    const text = t(each.dataset.t);
    if (each.textContent !== text) each.textContent = text;
  }
  for (const attribute of ATTRIBUTES) {
    for (const each of part.querySelectorAll(`[data-t-${attribute}]`)) {
      each.setAttribute(attribute, t(each.getAttribute(`data-t-${attribute}`)));
    }
  }
}
