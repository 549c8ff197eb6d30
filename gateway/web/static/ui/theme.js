/** Light or dark: as the system has it, until somebody chooses.  And the colors, for canvases. */

import { browser } from "./store.js";

const NAMES = [
  "up", "down", "flat", "up-old", "down-old", "up-full", "down-full", "on-full", "line", "edge",
  "muted", "ink", "panel", "accent", "night", "average-5", "average-20", "average-60",
];
const listeners = [];
const system = window.matchMedia("(prefers-color-scheme: dark)");

/** The colors of the moment, by name. */
export const colors = {};

/** "auto", "light" or "dark". */
export const theme = () => document.documentElement.dataset.theme;

/** Call `listener` when the colors are others. */
export const onTheme = (listener) => listeners.push(listener);

/** Show the page in `name`. */
export function dress(name) {
  document.documentElement.dataset.theme = name;
  browser.set("theme", name === "auto" ? "" : name);
  read();
}

/** A canvas needs colors as they come out, which only an element's style knows. */
function read() {
  const root = document.documentElement;
  for (const name of NAMES) {
    root.style.outlineColor = `var(--${name})`;
    colors[name] = getComputedStyle(root).outlineColor;
  }
  root.style.outlineColor = "";
  for (const listener of listeners) listener();
}

system.addEventListener("change", read);
const chosen = browser.get("theme");
document.documentElement.dataset.theme = ["light", "dark"].includes(chosen) ? chosen : "auto";
read();
