/** What a screen reader says: gathered for a second, at most once in five, what is the same once. */

import { byId } from "./dom.js";

const GATHERED = 1000, APART = 5000; // milliseconds
const waiting = new Set();
let last = -APART;

/** Have `text` read out soon. */
export function announce(text) {
  if (!waiting.size) setTimeout(say, Math.max(GATHERED, last + APART - performance.now()));
  waiting.add(text);
}

function say() {
  last = performance.now();
  byId("announcer").textContent = [...waiting].join(" ");
  waiting.clear();
}
