/** The event inspector: which events arrive, and what is in the last of each. */

import { Inspector } from "../model/inspector.js";
import { parts, shortened, visible } from "../model/json_text.js";
import { unread } from "../model/unread.js";
import { copy } from "../ui/copy.js";
import { byId, element, mark, Text } from "../ui/dom.js";
import { age, bytes, clock, NONE, number } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";

const TICK = "market_tick";
const SHOWN = 4096; // characters of a payload, unless somebody wants all
const NAME = 40; // characters of a name
const EVERY = 500; // milliseconds between two looks at what came

export class Events {
  #inspector = new Inspector();
  #open;
  #isInView = false;
  #chosen = ""; // the name whose payloads are shown
  #wasChosen = false;
  #back = 0; // how many payloads before the last one
  #showsAll = false;
  #shown = null; // what is on the screen
  #rates = new Map(); // by name, what the gateway counts
  #told = 0; // when it told that
  #rows = new Map(); // name -> {row, rate, age}
  #filter = byId("events-filter");
  #texts = new Map(
    ["title", "about", "place", "copied", "left", "unread"].map((id) => [id, new Text(byId(`events-${id}`))]),
  );

  /** `open(wants)` begins or ends listening: null, or whether untrusted events are wanted, too. */
  constructor(open) {
    this.#open = open;
    this.#filter.addEventListener("input", () => this.#write());
    byId("events-pause").addEventListener("click", () => this.#pause());
    byId("events-everybody").addEventListener("change", () => this.#listen());
    byId("events-older").addEventListener("click", () => this.#step(1));
    byId("events-newer").addEventListener("click", () => this.#step(-1));
    byId("events-all").addEventListener("click", () => this.#showAll());
    byId("events-copy").addEventListener("click", () => this.#copy());
    byId("events-names").addEventListener("keydown", (event) => this.#move(event));
    onLanguage(() => this.#write());
    setInterval(() => this.#isInView && this.#write(), EVERY);
  }

  /** One event, as a socket hears it. */
  event(text) {
    this.#inspector.add(text, Date.now());
  }

  /** What the gateway counts: by name `{rate, age}`. */
  told(rates) {
    this.#rates = rates;
    this.#told = Date.now();
  }

  /** Listen only while somebody may look. */
  set isInView(yes) {
    if (yes === this.#isInView) return;
    this.#isInView = yes;
    this.#listen();
    if (yes) this.#write();
  }

  /** Show the payloads of the event `name`. */
  choose(name) {
    this.#chosen = name;
    this.#wasChosen = true;
    this.#back = 0;
    this.#showsAll = false;
    this.#write();
  }

  #listen() {
    const wantsAll = byId("events-everybody").checked;
    mark(byId("events"), "untrusted", wantsAll ? "yes" : "");
    this.#inspector.clear();
    this.#rows.clear();
    this.#open(this.#isInView ? wantsAll : null);
  }

  #pause() {
    this.#inspector.pause(!this.#inspector.isPaused);
    byId("events-pause").setAttribute("aria-pressed", String(this.#inspector.isPaused));
    this.#write();
  }

  #step(older) {
    const count = this.#channel?.payloads.length ?? 0;
    this.#back = Math.max(0, Math.min(count - 1, this.#back + older));
    if (!this.#inspector.isPaused && this.#back) this.#pause(); // or it would move on under the eye
    this.#write();
  }

  #showAll() {
    this.#showsAll = true;
    this.#write();
  }

  /** What is shown until somebody chooses: trades, else what has come, else the first name. */
  #first(found) {
    const { channels } = this.#inspector;
    return [TICK, ...found].find((name) => channels.has(name)) ?? found[0] ?? "";
  }

  get #channel() {
    return this.#inspector.channels.get(this.#chosen);
  }

  #write() {
    const found = this.#inspector.matching(this.#filter.value.trim(), this.#rates.keys());
    if (!this.#wasChosen) this.#chosen = this.#first(found);
    this.#writeNames(found);
    this.#writePayload();
    const { left } = this.#inspector;
    this.#texts.get("left").set(left ? t("events.left", { n: number(left) }) : "");
    byId("events-empty").hidden = found.length > 0;
  }

  #writeNames(found) {
    const now = Date.now();
    const rows = found.map((name) => {
      const line = this.#rows.get(name) ?? this.#add(name);
      const known = this.#rates.get(name);
      const at = this.#inspector.channels.get(name)?.at ?? this.#told - (known?.age ?? 0) * 1000;
      line.rate.set(known ? number(known.rate, known.rate > 0 && known.rate < 10 ? 1 : 0) : NONE);
      line.age.set(age((now - at) / 1000));
      const isChosen = name === this.#chosen;
      line.button.setAttribute("aria-pressed", String(isChosen));
      line.button.tabIndex = isChosen ? 0 : -1;
      return line.row;
    });
    const body = byId("events-names");
    if (rows.length !== body.children.length || rows.some((row, i) => body.children[i] !== row)) {
      body.replaceChildren(...rows);
    }
  }

  #add(name) {
    const shown = shortened(name, NAME) || "\u2423"; // an empty name is one, too
    const button = element("button", { type: "button", textContent: shown, title: visible(name) });
    button.addEventListener("click", () => this.choose(name));
    const cells = [element("td"), element("td")];
    const head = element("th", { scope: "row" }, button);
    const line = {
      row: element("tr", {}, head, ...cells),
      button,
      rate: new Text(cells[0]),
      age: new Text(cells[1]),
    };
    this.#rows.set(name, line);
    return line;
  }

  /** Arrow keys go from name to name. */
  #move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...byId("events-names").querySelectorAll("button")];
    const next = buttons[buttons.indexOf(document.activeElement) + step];
    next?.click();
    next?.focus();
  }

  #writePayload() {
    const payloads = this.#channel?.payloads ?? [];
    byId("events-payload").hidden = !payloads.length;
    byId("events-none").hidden = payloads.length > 0 || !this.#chosen;
    if (!payloads.length) {
      this.#shown = null;
      return;
    }
    const back = Math.min(this.#back, payloads.length - 1);
    const payload = payloads[payloads.length - 1 - back];
    this.#texts.get("title").set(shortened(this.#chosen, NAME));
    const about = { time: clock(payload.at), size: bytes(payload.size) };
    this.#texts.get("about").set(t("events.about", about));
    this.#texts.get("place").set(`${payloads.length - back} / ${payloads.length}`);
    byId("events-older").disabled = back >= payloads.length - 1;
    byId("events-newer").disabled = back === 0;
    if (this.#shown?.payload === payload && this.#shown.all === this.#showsAll) return;
    this.#shown = { payload, all: this.#showsAll };
    const { found, isCut } = content(payload, this.#showsAll ? Infinity : SHOWN);
    byId("events-json").replaceChildren(...found);
    const fields = unread(this.#chosen, payload.values?.[0]);
    this.#texts.get("unread").set(fields.length
      ? t("events.unread", { n: fields.length, fields: fields.join(", ") }) : "");
    byId("events-all").hidden = !isCut;
    byId("events-all").textContent = isCut ? t("events.all", { size: bytes(payload.size) }) : "";
  }

  #copy() {
    const payload = this.#shown?.payload;
    if (!payload) return;
    const text = payload.values ? JSON.stringify(written(payload.values), null, 2) : payload.text;
    copy(text, byId("events-json"), this.#texts.get("copied"));
  }
}

/** One argument stands for itself. */
const written = (values) => (values.length === 1 ? values[0] : values);

/** The nodes of a payload, and whether there is more of it. */
function content({ values, text }, most) {
  if (!values) {
    return { found: [new window.Text(visible(text.slice(0, most)))], isCut: text.length > most };
  }
  const { parts: found, isCut } = parts(written(values), most);
  const nodes = found.map(([kind, said]) =>
    kind === "sign" ? new window.Text(said) : element("span", { className: kind, textContent: said }));
  return { found: nodes, isCut };
}
