/** What a phone shows: one thing at a time.  And the way past the first things for a keyboard. */

import { byId } from "./dom.js";

const panes = () => document.querySelectorAll(".panes [data-pane]");

/** Make the bar below work: `toOps()` and `toMarket()` change the view. */
export function listen(toOps, toMarket) {
  for (const button of panes()) {
    button.addEventListener("click", () => {
      const { pane } = button.dataset;
      if (pane === "ops") return toOps();
      document.body.dataset.pane = pane;
      toMarket();
      show("market");
    });
  }
  for (const button of document.querySelectorAll("[data-skip]")) {
    button.addEventListener("click", () => {
      const { skip } = button.dataset;
      if (skip === "ops") toOps();
      else toMarket();
      document.body.dataset.pane = { quotes: "list", chart: "chart", dock: "board" }[skip] ?? "list";
      byId(skip).focus();
      byId(skip).scrollIntoView({ block: "nearest" });
    });
  }
}

/** Show `view`, "market" or "ops". */
export function show(view) {
  document.body.dataset.view = view;
  document.body.dataset.pane ??= "list";
  const shown = view === "ops" ? "ops" : document.body.dataset.pane;
  for (const button of panes()) current(button, button.dataset.pane === shown);
  current(byId("to-market"), view === "market");
  current(byId("to-ops"), view === "ops");
}

function current(element, yes) {
  if (yes) element.setAttribute("aria-current", "page");
  else element.removeAttribute("aria-current");
}
