/** Light or dark, as the system has it until somebody chooses; red or green up; the colors for canvases. */

import { element, mark } from "./dom.js";
import { browser } from "./store.js";

const NAMES = [
  "up", "down", "flat", "up-old", "down-old", "up-full", "down-full", "on-full", "line", "edge",
  "muted", "ink", "panel", "accent", "warn", "night", "veil", "average-5", "average-20", "average-60",
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

/** Whether green is up, as abroad; in Taiwan red is. */
export const isGreenUp = () => document.documentElement.dataset.up === "green";

/** Let green be up, or red. */
export function color(isGreen) {
  mark(document.documentElement, "up", isGreen ? "green" : "");
  browser.set("up", isGreen ? "green" : "");
  read();
}

/** A canvas needs colors as they come out, which only an element's style knows: one look for all of them. */
function read() {
  const samples = NAMES.map((name) => {
    const sample = element("i");
    sample.style.color = `var(--${name})`;
    return sample;
  });
  const palette = element("div", { hidden: true }, ...samples);
  palette.style.forcedColorAdjust = "none";
  document.body.append(palette);
  for (const [i, name] of NAMES.entries()) colors[name] = getComputedStyle(samples[i]).color;
  palette.remove();
  for (const listener of listeners) listener();
}

system.addEventListener("change", read);
const chosen = browser.get("theme");
document.documentElement.dataset.theme = ["light", "dark"].includes(chosen) ? chosen : "auto";
mark(document.documentElement, "up", browser.get("up") === "green" ? "green" : "");
read();
