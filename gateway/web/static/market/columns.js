/** The list's columns: as wide as their longest texts; what does not fit gives way. */

import { byId, mark } from "../ui/dom.js";
import { inNextFrame } from "../ui/frame.js";
import { measure, widths } from "./widths.js";

const COUNTED = ["price", "change", "volume", "code"];

export class Columns {
  hasTrend = false;
  #longest = { price: 0, change: 0, volume: 0, code: 0 }; // figures
  #advance = null;
  #width = 0;
  #table = byId("quotes-table");
  #trend;

  /** `trend()`: there is room for the sparklines again. */
  constructor(trend) {
    this.#trend = trend;
    const root = byId("quotes-scroll");
    new ResizeObserver(([{ contentRect }]) => {
      this.#width = contentRect.width;
      this.#advance = measure(root);
      this.#lay();
    }).observe(root);
  }

  /** A row has other texts: columns may become wider at any time. */
  fit({ lengths }) {
    let isLonger = false;
    for (const name of COUNTED) {
      if (lengths[name] <= this.#longest[name]) continue;
      this.#longest[name] = lengths[name];
      isLonger = true;
    }
    if (isLonger) inNextFrame(this.#lay);
  }

  /** Other rows are shown: columns may become narrower. */
  reset(rows) {
    for (const name of COUNTED) this.#longest[name] = 0;
    for (const row of rows) this.fit(row);
    inNextFrame(this.#lay);
  }

  #lay = () => {
    if (!this.#width || !this.#advance) return;
    const found = widths(this.#width, this.#longest, this.#advance);
    for (const [name, width] of Object.entries(found)) {
      this.#table.style.setProperty(`--${name}-width`, `${width}px`);
    }
    mark(this.#table, "trend", found.trend ? "yes" : "");
    mark(this.#table, "volume", found.volume ? "yes" : "");
    const hadTrend = this.hasTrend;
    this.hasTrend = found.trend > 0;
    if (this.hasTrend && !hadTrend) this.#trend();
  };
}
