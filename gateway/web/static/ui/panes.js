/** What a phone shows: one thing at a time.  And the way past the first things for a keyboard. */

import { byId } from "./dom.js";

const panes = () => document.querySelectorAll(".panes [data-pane]");

/** Make the bar below work: `toOps()`, `toAlarms()` and `toMarket()` change what is in view. */
export function listen(toOps, toAlarms, toMarket) {
  const ways = { ops: toOps, alarms: toAlarms };
  const open = (pane) => {
    document.body.dataset.pane = pane;
    document.body.dataset.dock = "board";
    toMarket();
    show("market");
  };
  for (const button of panes()) {
    const { pane } = button.dataset;
    button.addEventListener("click", ways[pane] ?? (() => open(pane)));
  }
  for (const button of document.querySelectorAll("[data-skip]")) {
    button.addEventListener("click", () => {
      const { skip } = button.dataset;
      if (skip === "ops") toOps();
      else open({ quotes: "list", chart: "chart", dock: "board" }[skip]);
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

/** Show the alarms of this device in the place of the option board, or no longer. */
export function showAlarms(yes) {
  const { dataset } = document.body;
  dataset.dock = yes ? "alarms" : "board";
  if (yes) dataset.pane = "alarms";
  else if (dataset.pane === "alarms") dataset.pane = "list";
  show(dataset.view);
}

function current(element, yes) {
  if (yes) element.setAttribute("aria-current", "page");
  else element.removeAttribute("aria-current");
}
