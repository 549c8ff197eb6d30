/** The bars in view as a table, for who can't see a drawing, or wants the figures. */

import { PRICES } from "../model/bars.js";
import { byId, element } from "../ui/dom.js";
import { exact, volumeText } from "../ui/format.js";

const MOST = 500; // rows, the newest first

export class BarsTable {
  /** `shown()` is what the chart shows: `bars`, `digits`, `first`, `last`, `time(i)`. */
  constructor(shown) {
    byId("as-table").addEventListener("click", () => {
      byId("bars-body").replaceChildren(...rows(shown()));
      byId("bars-table").showModal();
    });
  }
}

function rows({ bars, digits, first, last, time }) {
  const found = [];
  for (let i = last; i >= Math.max(first, last - MOST + 1); i--) {
    const prices = PRICES.map((name) => exact(bars[name][i], digits));
    const cells = [...prices, volumeText(bars.volume[i])].map((textContent) =>
      element("td", { className: "figure", textContent }));
    found.push(element("tr", {}, element("th", { scope: "row", textContent: time(i) }), ...cells));
  }
  return found;
}
