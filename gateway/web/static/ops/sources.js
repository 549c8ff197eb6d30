/** Where quotes come from: each market, whether it is silent, and how many codes there are. */

import { byId, element, mark, Text } from "../ui/dom.js";
import { age, duration, moment } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";

export class Sources {
  #instruments;
  #status = null;
  #feeds = 0;
  #isOrdinary = true;
  #rows = new Map();

  /** `instruments()` are all that are known, as `model/instrument.js` has them. */
  constructor(instruments) {
    this.#instruments = instruments;
    onLanguage(() => this.#write());
    setInterval(() => this.#write(), 1000);
  }

  /**
   * What `/status` tells; `feeds`: how many names of events that are no quotes there are;
   * `isOrdinary`: it is the market, and neither a replay nor the like.
   */
  update(status, feeds, isOrdinary) {
    this.#status = status;
    this.#feeds = feeds;
    this.#isOrdinary = isOrdinary;
    this.#write();
  }

  #write() {
    if (!this.#status) return;
    const lines = Object.entries(this.#status.freshness.markets)
      .map(([name, market]) => this.#line(name, this.#market(name, market)));
    if (this.#feeds) {
      const count = t("sources.names", { n: this.#feeds });
      lines.push(this.#line("other", { said: t("sources.normal"), level: "good", count }));
    }
    const body = byId("sources-body");
    if (body.children.length !== lines.length) body.replaceChildren(...lines);
  }

  #market(name, { open, opens, stale }) {
    const found = this.#instruments().filter((each) => each.market === name);
    const newest = Math.max(0, ...found.map(({ at }) => at));
    const silent = duration((Date.now() - newest) / 1000);
    const count = t("sources.codes", { n: found.length });
    if (!found.length) return { said: t("sources.none"), level: "", count: "" };
    if (!this.#isOrdinary) {
      return { said: age((Date.now() - newest) / 1000), level: "", count };
    }
    if (open && stale) return { said: t("sources.silent", { time: silent }), level: "bad", count };
    if (open) return { said: t("sources.normal"), level: "good", count };
    const until = opens ? t("sources.closedUntil", { time: moment(opens) }) : t("sources.closed");
    return { said: until, level: "", count };
  }

  #line(name, { said, level, count }) {
    let row = this.#rows.get(name);
    if (!row) {
      const cells = [element("th", { scope: "row" }), element("td"), element("td")];
      row = { node: element("tr", {}, ...cells), texts: cells.map((cell) => new Text(cell)) };
      this.#rows.set(name, row);
    }
    const [first, second, third] = row.texts;
    first.set(t(`market.${name}`) || name);
    second.set(said);
    third.set(count);
    mark(row.node, "level", level);
    return row.node;
  }
}
