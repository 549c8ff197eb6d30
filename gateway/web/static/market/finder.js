/** Above the list: the filter and the groups; below an empty one, why it is empty. */

import { KINDS } from "../model/groups.js";
import { byId, element, Text } from "../ui/dom.js";
import { number } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";

export class Finder {
  #wanted = [];
  #filter = byId("quotes-filter");
  #chips = new Map();
  #why = new Text(byId("quotes-why"));
  #cure = byId("quotes-cure");
  #act = () => {};
  #groups;
  #changed;
  #counts = {};
  #add = element("button", { type: "button", textContent: "＋" });

  /** `changed()`: other codes are wanted; `add()`: another group is. */
  constructor(groups, changed, add) {
    this.#groups = groups;
    this.#changed = changed;
    this.#add.addEventListener("click", add);
    this.#filter.addEventListener("input", () => this.#typed());
    this.#cure.addEventListener("click", () => this.#act());
    onLanguage(() => this.#write());
    this.rebuild();
  }

  /** There are other groups. */
  rebuild() {
    this.#chips = new Map(this.#groups.ids.map((id) => {
      const chip = element("button", { type: "button" });
      chip.addEventListener("click", () => this.choose(id));
      return [id, { chip, text: new Text(chip) }];
    }));
    byId("groups").replaceChildren(...[...this.#chips.values()].map(({ chip }) => chip), this.#add);
    this.#write();
  }

  /** Whether the filter lets `instrument` be seen. */
  shows = ({ code, target, name }) => {
    if (!this.#wanted.length) return true;
    const text = plain(`${code} ${target} ${name}`);
    return this.#wanted.every((part) => text.includes(part));
  };

  choose(id) {
    this.#groups.chosen = id;
    this.#write();
    this.#changed();
  }

  focus() {
    this.#filter.focus();
    this.#filter.select();
  }

  /** How many codes there are, by group. */
  count(instruments) {
    this.#counts = {};
    for (const id of this.#groups.ids) {
      this.#counts[id] = instruments.filter((each) => this.#groups.isIn(id, each)).length;
    }
    this.#write();
  }

  /** `shown` rows are in the list; `reason` is `{id, act?}`: why there is no code at all. */
  explain(shown, reason) {
    byId("quotes-empty").hidden = shown > 0;
    if (shown) return;
    const isEmpty = !this.#counts.all;
    const why = isEmpty ? reason
      : this.#wanted.length ? { id: "filter", act: () => this.#clear() }
      : this.#groups.list.id === this.#groups.chosen ? { id: "mine", act: () => this.choose("all") }
      : { id: "group", act: () => this.choose("all") };
    this.#why.set(t(`empty.${why.id}`, why.values));
    this.#cure.hidden = !why.act;
    this.#cure.textContent = t(`remedy.${why.id}`);
    this.#act = why.act ?? this.#act;
  }

  #clear() {
    this.#filter.value = "";
    this.#typed();
    this.#filter.focus();
  }

  #typed() {
    this.#wanted = plain(this.#filter.value).split(/\s+/).filter(Boolean);
    this.#changed();
  }

  #write() {
    this.#add.title = t("groups.add");
    this.#add.setAttribute("aria-label", t("groups.add"));
    for (const [id, { chip, text }] of this.#chips) {
      const count = this.#counts[id] ?? 0;
      const isChosen = id === this.#groups.chosen;
      const own = this.#groups.own.find((each) => each.id === id);
      const n = count && id === "mine" ? number(count) : "";
      text.set(own ? own.name || t("groups.new") : t(`group.${id}`, { n }).trim());
      chip.hidden = !count && !isChosen && KINDS.includes(id);
      chip.setAttribute("aria-pressed", String(isChosen));
    }
  }
}

/** For comparing: without case, and full-width letters and digits as plain ones. */
const plain = (text) => text.normalize("NFKC").toLowerCase();
