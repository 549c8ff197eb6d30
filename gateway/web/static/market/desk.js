/** The Market view: list, chart, best five, facts, tape and option board of one chosen code. */

import { Groups } from "../model/groups.js";
import { Market } from "../model/market.js";
import { Instrument } from "../model/instrument.js";
import { Recall } from "../model/recall.js";
import { ask } from "../net/api.js";
import { byId, mark } from "../ui/dom.js";
import { inNextFrame } from "../ui/frame.js";
import { t } from "../ui/i18n.js";
import { onKey } from "../ui/keys.js";
import { browser } from "../ui/store.js";
import { Board } from "./board.js";
import { Book } from "./book.js";
import { Facts } from "./facts.js";
import { Finder } from "./finder.js";
import { GroupsDialog } from "./groups_dialog.js";
import { Head } from "./head.js";
import { List } from "./list.js";
import { Plot } from "./plot.js";
import { TapeList } from "./tape.js";

const MOST_FEEDS = 200; // names of events that are no quotes

export class Desk {
  chosen = null;
  market;
  #groups = new Groups(browser);
  #feeds = new Map(); // by name
  #head = new Head();
  #book = new Book();
  #facts = new Facts();
  #tape = new TapeList();
  #finder;
  #list;
  #plot;
  #board;
  #optionCount = 0;
  #ages = { isOld: () => false, isClosed: () => false, opens: () => NaN, since: null };
  #on;

  /**
   * `on` hears `chosen(instrument, isSmall)`, `interval(name)`, `feed(name)` (events that are no
   * quotes), `met()` (a new code), `changed()` (of the chosen one), `traded(instrument, trade)`, and of
   * alarms what `Plot` tells; `reason()` is why there is no code at all, as `Finder.explain` takes it.
   */
  constructor(on, reason) {
    this.#on = on;
    this.market = new Market({
      changed: (instrument, isNew) => this.#changed(instrument, isNew),
      joined: (other, instrument) => this.#joined(other, instrument),
      traded: (instrument, trade) => this.#traded(instrument, trade),
    });
    this.#finder = new Finder(this.#groups, () => this.#regroup(), () => dialog.add());
    const recall = new Recall(ask, (instrument) => this.#list.changed(instrument));
    this.#list = new List(this.#groups, this.#finder.shows, {
      chosen: (instrument, isSmall) => this.#select(instrument, isSmall),
      arranged: (count) => this.#finder.explain(count, reason()),
      sketched: (instrument) => recall.want(instrument),
    });
    const dialog = new GroupsDialog(this.#groups, () => {
      this.#finder.rebuild();
      this.#count();
      this.#regroup();
    });
    this.#plot = new Plot({ ...on, empty: () => this.#why(reason()) });
    this.#board = new Board(this.market, (instrument) => this.#select(instrument, false));
    byId("star").addEventListener("click", () => this.#star());
    onKey("s", () => this.#star());
    onKey("b", () => this.#board.fold());
    onKey("r", () => this.#list.rearrange());
    onKey("0", () => {
      this.#plot.follow();
      this.#board.toMoney();
    });
    byId("selected").addEventListener("keydown", (event) => {
      const step = event.altKey && { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.#step(step);
    });
  }

  /** Show `instrument`, with bars of `interval`. */
  show(instrument, interval) {
    const isOther = instrument !== this.chosen;
    this.chosen = instrument;
    this.#plot.show(instrument, interval);
    if (!isOther) return;
    this.#list.choose(instrument);
    for (const part of [this.#head, this.#facts, this.#tape, this.#board]) part.show(instrument);
    this.#writeStar();
    this.#age();
    this.#on.changed();
  }

  /** The code of the last visit, else the first there is. */
  get usual() {
    return this.market.find(browser.get("code")) ?? this.chosen ?? this.#list.first;
  }

  /**
   * How old what is shown is: `isOld(instrument)`, `isClosed(instrument)`, `opens(instrument)` (when its
   * market opens again), `since` (nothing at all is heard since then, or null); in seconds since 1970.
   */
  age(ages) {
    this.#ages = ages;
    this.#list.age(ages);
    this.#age();
  }

  /** There are other alarms. */
  alarmed() {
    this.#plot.changed(this.chosen);
  }

  /** Names of events that are no quotes, each with when it came last. */
  feeds(events) {
    for (const { name, at } of events) {
      let feed = this.#feeds.get(name);
      if (!feed) {
        if (this.#feeds.size >= MOST_FEEDS) continue;
        feed = new Instrument(name);
        feed.isFeed = true;
        feed.kind = "other";
        this.#feeds.set(name, feed);
        inNextFrame(this.#met);
      }
      feed.at = at;
      this.#list.changed(feed);
    }
  }

  /** Why the list is empty may be another reason. */
  explain(reason) {
    if (!this.#list.first) this.#finder.explain(0, reason);
    this.#plot.changed(this.chosen);
  }

  find() {
    this.#finder.focus();
  }

  reconnected() {
    this.#plot.reconnected();
  }

  /** Nothing that was shown is of the time that comes. */
  forget() {
    this.market.forget();
    this.#list.clear();
    this.#feeds.clear();
    this.chosen = null;
    for (const part of [this.#head, this.#facts, this.#tape]) part.show(null);
    this.#book.show(null, false);
    this.#plot.forget();
    this.#board.show(null);
    this.#board.rebuild();
  }

  #changed(instrument, isNew) {
    this.#list.changed(instrument);
    if (isNew) inNextFrame(this.#met);
    if (instrument.option || instrument.market === "futures") this.#board.changed();
    if (instrument !== this.chosen) return;
    this.#plot.changed(instrument);
    this.#tape.changed();
    inNextFrame(this.#writeChosen);
    this.#on.changed();
  }

  #traded(instrument, trade) {
    this.#plot.traded(instrument, trade);
    this.#on.traded(instrument, trade);
  }

  /** Two codes are one contract: what was shown of the other is shown of this one. */
  #joined(other, instrument) {
    this.#list.remove(other);
    if (other === this.chosen) this.#on.chosen(instrument, true);
  }

  #select(instrument, isSmall) {
    if (instrument.isFeed) this.#on.feed(instrument.code);
    else this.#on.chosen(instrument, isSmall);
  }

  #step(steps) {
    const next = this.#list.beside(steps);
    if (next) this.#select(next, true);
  }

  /** How many codes each group has may be another number. */
  #count() {
    this.#finder.count([...this.market.codes.values(), ...this.#feeds.values()]);
  }

  #met = () => {
    this.#count();
    const options = [...this.market.codes.values()].filter(({ option }) => option).length;
    if (options !== this.#optionCount) this.#board.rebuild();
    this.#optionCount = options;
    this.#on.met();
  };

  #writeChosen = () => {
    this.#head.write();
    this.#facts.write();
    this.#book.write();
  };

  #age() {
    const { chosen } = this;
    if (!chosen) return;
    const { since } = this.#ages;
    const isOld = this.#ages.isOld(chosen), isClosed = this.#ages.isClosed(chosen);
    this.#head.state(isOld, isClosed);
    this.#plot.state = { isOld, since, opens: isClosed ? this.#ages.opens(chosen) || null : null };
    this.#tape.state = { isOld, since };
    this.#book.show(chosen, isClosed);
    for (const id of ["side", "dock"]) mark(byId(id), "old", isOld ? "yes" : "");
  }

  #star() {
    if (!this.chosen) return;
    this.#groups.star(this.chosen);
    this.#writeStar();
    this.#count();
    this.#list.rearrange();
  }

  /** Other codes are in the list. */
  #regroup() {
    this.#list.rearrange();
    if (this.chosen) this.#writeStar();
  }

  #writeStar() {
    const isStarred = this.#groups.isStarred(this.chosen);
    byId("star").setAttribute("aria-pressed", String(isStarred));
  }

  #why(reason) {
    return this.market.codes.size ? t("chart.none") : t(`empty.${reason.id}`, reason.values);
  }
}
