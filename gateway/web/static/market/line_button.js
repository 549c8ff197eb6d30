/** A button on the chosen alarm's line that removes it: for fingers, which have no key for that. */

import { byId } from "../ui/dom.js";
import { t } from "../ui/i18n.js";

export class LineButton {
  #button = byId("line-remove");
  #line = null;
  #said;

  /** `box` is the chart; `said(line)` is an alarm as text, `removed(id)` is told which one to remove. */
  constructor(box, said, removed) {
    this.#said = said;
    this.#button.addEventListener("click", () => {
      box.focus(); // the button is about to go
      removed(this.#line.id);
    });
  }

  /** The chosen line as the chart tells it, or null. */
  show(line) {
    this.#line = line;
    this.#button.hidden = !line;
    if (!line) return;
    this.#button.style.setProperty("--at", `${Math.round(line.at)}px`);
    const label = t("alarms.remove", { alarm: this.#said(line) });
    if (this.#button.ariaLabel !== label) this.#button.ariaLabel = label;
  }
}
