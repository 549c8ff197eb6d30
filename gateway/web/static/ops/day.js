/** The day at the exchange: its sessions as bands, now, and the planned restarts as pins. */

import { dayOf, hm, local, monthDay, now } from "../model/clock.js";
import { byId, Content, element, mark, Text } from "../ui/dom.js";
import { moment, NONE } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";

const DAY = 86_400;
const HOURS = 24;
const PERCENT = 100;
const MARKETS = ["futures", "stocks"]; // a band each, if it has codes

export class Day {
  #sessions = {}; // by market, pairs such as ["08:45", "13:45"]
  #status = null;
  #pins = new Content(byId("day-pins"));
  #texts = new Map(["date", "restart", "next"].map((id) => [id, new Text(byId(`day-${id}`))]));

  constructor() {
    onLanguage(() => this.#write());
    setInterval(() => this.#place(), 30_000);
  }

  /** `markets` of `/codes`. */
  learn(markets) {
    this.#sessions = Object.fromEntries(
      Object.entries(markets ?? {}).map(([name, { sessions }]) => [name, sessions ?? []]),
    );
    this.#write();
  }

  /** What `/status` tells. */
  update(status) {
    this.#status = status;
    this.#place();
  }

  #write() {
    const bands = MARKETS.filter((name) => this.#sessions[name]?.length).map((name) => {
      const row = element("div", { className: "band" });
      for (const [begin, end] of this.#sessions[name]) row.append(...spans(begin, end));
      return row;
    });
    byId("day-bands").replaceChildren(...bands);
    this.#place();
  }

  /** What depends on the time. */
  #place() {
    const { schedule, freshness } = this.#status ?? {};
    this.#texts.get("date").set(t("day.date", { date: monthDay(now()) }));
    move(byId("day-now"), part(now()));
    const restarts = (schedule?.restarts ?? []).map((each) => Date.parse(each) / 1000)
      .filter((at) => dayOf(at) === dayOf(now()));
    this.#pins.set(restarts, (at) => move(element("i"), part(at)));
    for (const [i, at] of restarts.entries()) mark(byId("day-pins").children[i], "done", at <= now() ? "yes" : "");
    const today = restarts.map(hm).join(t("day.comma"));
    this.#texts.get("restart").set(today || (schedule?.nextRestart ? moment(schedule.nextRestart) : NONE));
    const opens = Object.values(freshness?.markets ?? {})
      .map((each) => each.opens).filter(Boolean).sort((a, b) => Date.parse(a) - Date.parse(b))[0];
    const hours = schedule?.nextSession && !schedule.inSession
      ? t("day.hours", { time: moment(schedule.nextSession) }) : "";
    this.#texts.get("next").set([opens ? session(opens) : NONE, hours].filter(Boolean).join(" · "));
  }
}

/** Night 15:00; the night begins in the afternoon. */
function session(opens) {
  const isNight = part(Date.parse(opens) / 1000) > PERCENT / 2;
  return `${t(isNight ? "day.night" : "day.day")} ${moment(opens)}`;
}

/** Where in the day a moment is, in percent. */
const part = (seconds) => ((local(seconds) % DAY) / DAY) * PERCENT;

function move(target, place) {
  target.style.setProperty("--at", `${place}%`);
  return target;
}

/** The spans of a session; one that passes midnight has two. */
function spans(begin, end) {
  const from = hours(begin), to = hours(end);
  const name = to < from ? t("day.night") : t("day.day");
  const made = to < from ? [span(0, to, name), span(from, HOURS, name)] : [span(from, to, name)];
  for (const each of made) mark(each, "kind", to < from ? "night" : "day");
  return made;
}

function span(from, to, name) {
  const made = element("span", { textContent: name });
  made.style.setProperty("--at", `${(from / HOURS) * PERCENT}%`);
  made.style.setProperty("--long", `${((to - from) / HOURS) * PERCENT}%`);
  return made;
}

function hours(text) {
  const [hour, minute] = text.split(":").map(Number);
  return hour + minute / 60;
}
