/** The line above both views: whether what is shown can be believed, the session, the clock. */

import { hms, local, now } from "../model/clock.js";
import { belief, isOld } from "../model/belief.js";
import { byId, mark, Text } from "./dom.js";
import { duration, moment, number } from "./format.js";
import { onLanguage, t } from "./i18n.js";

const HOUR = 3600;
const NOON = 12;

export class StatusLine {
  #facts;
  #market = "futures";
  #rate = null; // events a second
  #clock = now;
  #texts = new Map(
    ["belief-text", "hours-name", "hours-left", "summary-state", "speed-rate", "access", "access-role", "clock"]
      .map((id) => [id, new Text(byId(id))]),
  );

  /** `facts` are those of `belief`, as they are at the moment. */
  constructor(facts) {
    this.#facts = facts;
    onLanguage(() => this.write());
    this.#tick();
  }

  /** The market of the code in view: its session is shown. */
  set market(name) {
    this.#market = name;
    this.write();
  }

  /** Events a second; null: nobody knows. */
  get rate() {
    return this.#rate;
  }

  set rate(value) {
    this.#rate = value;
  }

  /** `clock()` is the time that is shown, in seconds since 1970. */
  set clock(clock) {
    this.#clock = clock;
    this.write();
  }

  /** Write what is so at this moment. */
  write() {
    const found = belief(this.#facts);
    this.#write("belief-text", this.#said(found));
    mark(byId("belief"), "id", found.id);
    mark(byId("belief"), "level", found.level);
    mark(document.documentElement, "old", isOld(found) ? "yes" : "");
    mark(document.documentElement, "level", found.level);
    this.#hours(found);
    this.#worker(this.#facts.status);
    this.#write("clock", hms(this.#clock()));
  }

  #write(id, text) {
    this.#texts.get(id).set(text);
  }

  #said({ id, since, until }) {
    // It is never broken: the words before it may be.
    const gone = Number.isFinite(since) ? duration((Date.now() - since) / 1000).replaceAll(" ", "\u00a0") : "";
    return t(`belief.${id}`, { age: gone, time: until ? moment(new Date(until)) : "" });
  }

  #hours({ id }) {
    const found = this.#facts.status?.freshness?.markets?.[this.#market];
    const isShown = Boolean(found?.open && found.closes && id !== "replay" && !this.#facts.kind);
    byId("hours").hidden = !isShown;
    if (!isShown) return;
    const closes = Date.parse(found.closes) / 1000;
    const isNight = (local(closes) % (24 * HOUR)) / HOUR < NOON;
    this.#write("hours-name", t(`hours.${isNight ? "night" : "day"}`));
    this.#write("hours-left", t("hours.left", { time: left(closes - now()) }));
  }

  #worker(status) {
    const { state, ready, access } = status ?? {};
    byId("summary").hidden = !state || state === "disabled";
    byId("speed").hidden = this.#rate === null;
    this.#write("speed-rate", number(this.#rate ?? 0));
    const { name, role } = access ?? {};
    this.#write("access", name ?? "");
    this.#write("access-role", name ? `· ${t(`role.${role}`)}` : "");
    if (!state) return;
    const shown = state === "running" && ready ? "ready" : state;
    mark(byId("summary"), "worker", shown);
    this.#write("summary-state", t(`state.${shown}`) || shown);
  }

  /** At the beginning of each second. */
  #tick() {
    setTimeout(() => this.#tick(), 1000 - ((now() * 1000) % 1000));
    this.write();
  }
}

/** 3:02:43 */
function left(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / HOUR)}:${new Date((whole % HOUR) * 1000).toISOString().slice(14, 19)}`;
}
