/** Makes, names and removes groups of one's own, and takes them to another device as text. */

import { byId, element } from "../ui/dom.js";
import { onLanguage, t } from "../ui/i18n.js";

export class GroupsDialog {
  #groups;
  #changed;
  #dialog = byId("groups-dialog");
  #text = byId("groups-text");

  /** `changed()`: there are other groups. */
  constructor(groups, changed) {
    this.#groups = groups;
    this.#changed = changed;
    byId("open-groups").addEventListener("click", () => {
      this.#write();
      this.#dialog.showModal();
    });
    byId("groups-add").addEventListener("click", () => this.#add());
    byId("groups-read").addEventListener("click", () => {
      const isRead = groups.read(this.#text.value);
      byId("groups-message").textContent = isRead ? "" : t("groups.wrong");
      if (isRead) this.#done();
    });
    onLanguage(() => this.#write());
  }

  /** Open it with another group, whose name is to be written. */
  add() {
    this.#dialog.showModal();
    this.#add();
  }

  #add() {
    const id = this.#groups.add(t("groups.new"));
    if (id) this.#groups.chosen = id;
    this.#done();
    byId("groups-own").querySelector("div:last-child input")?.select();
  }

  #done() {
    this.#write();
    this.#changed();
  }

  #write() {
    this.#text.value = this.#groups.text;
    byId("groups-message").textContent = "";
    byId("groups-own").replaceChildren(...this.#groups.own.map((group) => this.#line(group)));
  }

  #line({ id, name }) {
    const input = element("input", { type: "text", value: name, "aria-label": t("groups.name") });
    input.addEventListener("input", () => {
      this.#groups.rename(id, input.value);
      this.#text.value = this.#groups.text;
      this.#changed();
    });
    const remove = element("button", { type: "button", textContent: t("groups.remove") });
    remove.addEventListener("click", () => {
      this.#groups.remove(id);
      this.#done();
      byId("groups-add").focus(); // the button is gone
    });
    return element("div", {}, input, remove);
  }
}
