/** On a phone the parts of Operations are headings, and what is below one opens by a touch. */

import { element, mark } from "./dom.js";

const narrow = window.matchMedia("(width < 760px)");
const panels = () => document.querySelectorAll("[data-folds]");

/** Make them work, as wide as the window is at the moment. */
export function listen() {
  narrow.addEventListener("change", arrange);
  arrange();
}

/** Open `panel`, if it is one of these. */
export function unfold(panel) {
  fold(panel, false);
}

function arrange() {
  for (const panel of panels()) {
    const title = panel.querySelector("h2");
    const text = title.querySelector("span");
    if (narrow.matches) title.append(button(panel, text));
    else title.replaceChildren(text);
    fold(panel, true);
  }
}

/** What opens and closes `panel`; `text` is what it says. */
function button(panel, text) {
  const made = element("button", { type: "button", className: "fold" }, text);
  made.addEventListener("click", () => fold(panel, !("folded" in panel.dataset)));
  return made;
}

function fold(panel, yes) {
  mark(panel, "folded", yes ? "yes" : "");
  panel.querySelector(".fold")?.setAttribute("aria-expanded", String(!yes));
}
