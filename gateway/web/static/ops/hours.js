/** Says which markets are closed, and until when: then silence is no fault. */

import { byId, Text } from "../ui/dom.js";
import { moment } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";

export class Hours {
  #note = new Text(byId("hours"));
  #markets = {};

  constructor() {
    onLanguage(() => this.#write());
  }

  /** `markets` of `/status`: `open`, `opens` by name. */
  update(markets) {
    this.#markets = markets;
    this.#write();
  }

  #write() {
    const closed = Object.entries(this.#markets).filter(([, { open }]) => !open);
    this.#note.set(closed.map(([name, { opens }]) => text(name, opens)).join(" · "));
  }
}

function text(name, opens) {
  const market = t(`market.${name}`) || name;
  return opens
    ? t("hours.opens", { market, time: moment(opens) })
    : t("hours.closed", { market });
}
