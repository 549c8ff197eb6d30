/** The alarms of this device: their panel, the bell, and what happens when one fires. */

import { Alarms, KINDS } from "../model/alarms.js";
import { now } from "../model/clock.js";
import { byId, element, mark, Text } from "../ui/dom.js";
import { number } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";
import { permission, request, show } from "../ui/notify.js";
import { showAlarms } from "../ui/panes.js";
import { isHeard, ring, unlock } from "../ui/sound.js";
import { browser } from "../ui/store.js";
import { decimals } from "../model/ticks.js";

const KEPT = "alarms";
const QUIET = "quiet"; // what is kept where no sound is wanted
/** Conditions that alarms of a kind are about. */
const TROUBLES = {
  worker: ["fatal", "exited", "backoff", "pause", "unready", "engineio3", "proxy", "url", "broker"],
  feed: ["stale"],
  gateway: ["gateway", "token", "wrongToken"],
};

export class AlarmPanel {
  #alarms = new Alarms((rule, facts) => this.#fire(rule, facts), () => now() * 1000);
  #on;
  #before = null; // what had the focus before they were opened
  #count = new Text(byId("alarms-count"));
  #why = new Text(byId("alarms-why"));
  #error = new Text(byId("alarms-error"));

  /**
   * `on` hears `fired(text, at)` of each alarm, and `changed()`: there are others; `on.chosen()` is the
   * instrument in view, or null; `on.silent(code)` are the seconds without a trade, null while its
   * market is closed.
   */
  constructor(on) {
    this.#on = on;
    this.#alarms.load(browser.get(KEPT));
    unlock();
    byId("alarms-kind").addEventListener("change", () => this.#fit());
    byId("alarms-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#add();
    });
    for (const id of ["alarms-close", "to-board"]) {
      byId(id).addEventListener("click", () => this.#close());
    }
    byId("alarms").addEventListener("keydown", ({ key }) => key === "Escape" && this.#close());
    byId("alarms-test").addEventListener("click", () => this.#test());
    byId("alarms-sound").checked = browser.get("sound") !== QUIET;
    byId("alarms-sound").addEventListener("change", ({ target }) =>
      browser.set("sound", target.checked ? "" : QUIET));
    onLanguage(() => this.#write());
    this.#write();
    setInterval(() => this.#alarms.look(on.silent), 1000);
  }

  /** Show them, with the code and the price in view. */
  open() {
    const { activeElement } = document;
    if (!byId("alarms").contains(activeElement)) this.#before = activeElement;
    const instrument = this.#on.chosen();
    byId("alarms-code").value = instrument?.code ?? "";
    const price = instrument?.shown;
    byId("alarms-value").value = Number.isFinite(price) ? String(price) : "";
    this.#error.set("");
    this.#fit();
    this.#write();
    showAlarms(true);
    byId("alarms-kind").focus();
  }

  #close() {
    showAlarms(false);
    this.#before?.focus();
  }

  /** A trade of `instrument`. */
  traded(instrument, trade) {
    const { percent, volume, limit, code, target } = instrument;
    const facts = { ...trade, percent, volume, limit };
    this.#alarms.trade(code, facts);
    if (target && target !== code) this.#alarms.trade(target, facts);
  }

  /** Those that wait for a price of `instrument`: they are lines in its chart. */
  lines({ code, target }) {
    return this.#alarms.rules.filter((rule) =>
      rule.isOn && KINDS[rule.kind].isLine && (rule.code === code || rule.code === target));
  }

  /** Wait for another price; on which side of it the last one is says from where it is crossed. */
  move(id, value) {
    const { kind } = this.#alarms.rules.find((rule) => rule.id === id) ?? {};
    const price = this.#on.chosen()?.shown;
    const side = value > price ? "above" : value < price ? "below" : kind;
    this.#alarms.change(id, { value: Number(value.toFixed(6)), kind: kind === "trial" ? kind : side });
    this.#keep();
  }

  /** Wait no more. */
  remove(id) {
    this.#alarms.remove(id);
    this.#keep();
  }

  /** Which conditions, by their names, are there at the moment. */
  troubles(ids) {
    for (const [kind, those] of Object.entries(TROUBLES)) {
      this.#alarms.trouble(kind, those.some((id) => ids.has(id)));
    }
  }

  /** Only what the kind needs is asked for. */
  #fit() {
    const { needs } = KINDS[byId("alarms-kind").value];
    for (const name of ["code", "value"]) {
      byId(`alarms-${name}`).parentElement.hidden = !needs.includes(name);
    }
  }

  #add() {
    const kind = byId("alarms-kind").value;
    const { needs } = KINDS[kind];
    const value = byId("alarms-value").value.trim();
    const rule = {
      kind,
      ...(needs.includes("code") && { code: byId("alarms-code").value.trim() }),
      ...(needs.includes("value") && { value: value === "" ? NaN : Number(value) }),
      each: byId("alarms-each").value === "each",
    };
    const added = this.#alarms.add(rule);
    this.#error.set(added ? "" : t("alarms.wrong"));
    if (added) this.#keep();
  }

  #keep() {
    browser.set(KEPT, this.#alarms.text());
    this.#write();
    this.#on.changed();
  }

  #write() {
    const { rules } = this.#alarms;
    const active = rules.filter(({ isOn }) => isOn).length;
    this.#count.set(active ? String(active) : "");
    this.#list(rules);
    byId("alarms-empty").hidden = rules.length > 0;
    const state = permission();
    this.#why.set(state === "ask" ? "" : t(`notify.${state}`));
    byId("alarms-test").textContent = state === "ask" ? t("alarms.allow") : t("alarms.test");
  }

  /** Write the list anew; who goes through it by keys stays where they are. */
  #list(rules) {
    const list = byId("alarms-list");
    const stops = () => [...list.querySelectorAll("input, button")];
    const at = stops().indexOf(document.activeElement);
    list.replaceChildren(...rules.map((rule) => this.#line(rule)));
    if (at >= 0) (stops()[at] ?? stops().at(-1) ?? byId("alarms-kind")).focus();
  }

  #line(rule) {
    const on = element("input", { type: "checkbox", checked: rule.isOn });
    on.addEventListener("change", () => {
      this.#alarms.change(rule.id, { isOn: on.checked });
      this.#keep();
    });
    const remove = element("button", {
      type: "button", className: "tool", textContent: "×", "aria-label": t("alarms.remove", { alarm: said(rule) }),
    });
    remove.addEventListener("click", () => this.remove(rule.id));
    const often = rule.each ? t("alarms.each") : t("alarms.once");
    const each = element("small", { textContent: often });
    const line = element("li", {},
      element("label", {}, on, element("span", { textContent: said(rule) })), each, remove);
    mark(line, "off", rule.isOn ? "" : "yes");
    return line;
  }

  /** The bell rings, and the browser is asked for notifications; what is missing is said. */
  async #test() {
    const state = await request();
    ring();
    show(t("alarms.title"), t("alarms.works"));
    this.#write();
    if (state === "granted" && !isHeard()) this.#why.set(t("alarms.silent"));
  }

  #fire(rule, facts) {
    const text = fired(rule, facts);
    if (byId("alarms-sound").checked) ring();
    show(t("alarms.title"), text);
    this.#on.fired(text, new Date(now() * 1000).toISOString());
    this.#keep();
  }
}

/** 2330 crosses 2,010 from below */
function said({ kind, code, value }) {
  return t(`alarm.${kind}`, { code, value: written(value) });
}

/** What became true. */
function fired({ kind, code, value }, { price }) {
  const at = Number.isFinite(price) ? written(price) : "";
  return t(`alarmed.${kind}`, { code, value: written(value), price: at });
}

const written = (value) => (Number.isFinite(value) ? number(value, decimals(value)) : "");
