/** Puts the page together: the gateway's events to the market, `/status` to everybody. */

import { Desk } from "./market/desk.js";
import { AlarmPanel } from "./market/alarms.js";
import { titleText } from "./market/title.js";
import { ages } from "./model/ages.js";
import { byBrowser, now, settle } from "./model/clock.js";
import { conditions } from "./model/conditions.js";
import { EVENTS, feeds } from "./model/events.js";
import { Poll } from "./net/poll.js";
import { Socket } from "./net/socket.js";
import { Banner } from "./ops/banner.js";
import { Operations } from "./ops/operations.js";
import { Replay } from "./ops/replay.js";
import { tokenDialog } from "./ops/token.js";
import { reactions } from "./reactions.js";
import { reason as why } from "./reason.js";
import { announce } from "./ui/announce.js";
import { byId } from "./ui/dom.js";
import { listen as listenToFolds, unfold } from "./ui/folds.js";
import { inNextFrame } from "./ui/frame.js";
import { onLanguage, t, translate } from "./ui/i18n.js";
import { listen as listenToKeys, onKey } from "./ui/keys.js";
import { listen as listenToPanes, show as showView } from "./ui/panes.js";
import { preferences } from "./ui/preferences.js";
import { Router } from "./ui/route.js";
import { StatusLine } from "./ui/status_line.js";
import { browser } from "./ui/store.js";
import { token } from "./ui/token.js";

/** What may be shown instead of the market, as `/status` has it. */
const KINDS = ["replay", "rehearsal", "demo"];

/** What is no market of now: alarms are silent. */
const RECORDED = new Set(["replay", "rehearsal"]);

const CODES_EVERY = 30_000; // milliseconds: contracts seldom change

translate();

const facts = {
  status: null,
  error: null,
  connected: null, // nobody knows yet
  lostAt: null,
  refused: false,
  lacksKeys: false,
  broker: null,
  isDemo: false,
  kind: "",
  tradedAt: {},
};

const status = new Poll(() => "status", told);
const refresh = () => status.refresh();
const line = new StatusLine(facts);
const router = new Router(arrive);
const open = (id) => () => byId(id).click();
const toPanel = (panel) => () => router.go({ view: "ops", panel });
/** What can be done where there is no code, by the reason of that. */
const REMEDIES = {
  token: open("open-token"),
  wrongToken: open("open-token"),
  keys: open("open-credentials"),
  custom: toPanel("events"),
  noworker: toPanel("events"),
  down: toPanel("worker"),
};
const desk = new Desk(
  {
    chosen: (instrument, isSmall) => goTo({ code: instrument.code }, isSmall),
    interval: (interval) => goTo({ interval }, true),
    feed: toPanel("events"),
    met: () => {
      codes.refresh();
      inNextFrame(choose);
    },
    changed: () => inNextFrame(title),
    traded: (instrument, trade) => RECORDED.has(facts.kind) || alarms.traded(instrument, trade),
    alarms: (instrument) => alarms.lines(instrument),
    moved: (id, price) => alarms.move(id, price),
    removed: (id) => alarms.remove(id),
  },
  reason,
);
const codes = new Poll(() => "codes", learn, CODES_EVERY);

const operations = new Operations({ refresh, inspect, instruments: () => [...desk.market.codes.values()] });
const { record, log, events } = operations;
const banner = new Banner();
const alarms = new AlarmPanel({
  fired: alarmed, changed: () => desk.alarmed(), chosen: () => desk.chosen, silent: silentFor,
});
const replay = new Replay(refresh, beginAnew);
line.clock = () => replay.time ?? now();
const react = reactions({ facts, refresh, record, log, codes });

const url = new URL("socket.io/?EIO=4&transport=websocket", document.baseURI);
url.protocol = url.protocol.replace("http", "ws");
const socket = new Socket(url, auth, {
  connected: () => connect({ connected: true, refused: false, lostAt: null }),
  refused: () => connect({ connected: false, refused: true }),
  lost: () => connect({ connected: false, lostAt: facts.lostAt ?? Date.now() }),
  event,
});

const inspection = new Socket(url, () => auth({ trusted: !inspectsAll }), {
  connected: () => {},
  refused: () => {},
  lost: () => {},
  event: (text) => events.event(text),
});
let inspectsAll = false;

function auth(wanted = { events: EVENTS, trusted: true }) {
  const brought = token();
  return { ...wanted, snapshot: true, ...(brought && { token: brought }) };
}

/** Hear all events for the inspector: null: no more; else whether those of others, too. */
function inspect(wantsAll) {
  inspectsAll = wantsAll === true;
  if (wantsAll === null) inspection.close();
  else inspection.reconnect();
}

function connect(change) {
  const was = facts.connected;
  Object.assign(facts, change);
  if (facts.connected && was === false) desk.reconnected();
  if (was !== facts.connected) refresh();
  assess();
}

// -- what comes ---------------------------------------------------------------------------

function event(text) {
  const [name, value] = JSON.parse(text);
  if (typeof value !== "object" || value === null) return;
  desk.market.event(name, value, Date.now());
  if (Object.hasOwn(react, name)) react[name](value);
}

function told(answer, error) {
  facts.error = error;
  if (answer) {
    settle(answer.time, answer.timezone);
    facts.status = answer;
    if (answer.broker) facts.broker = answer.broker.connected;
    facts.kind = KINDS.find((kind) => answer[kind] === true) ?? "";
    replay.update(answer.replaying ?? null, answer.access.role === "control", answer.state);
    line.rate = operations.told(answer, !facts.kind && !facts.isDemo);
    desk.feeds(feeds(answer.freshness.events));
  } else if (!error.status) {
    operations.lost();
    line.rate = null;
  }
  assess();
}

/** An alarm of this device came true. */
function alarmed(text, at) {
  announce(text);
  record.note(`alarm ${at} ${text}`, at, {
    kind: "alarm", level: "warn", text: () => text, more: () => t("record.alarm"),
  });
}

/** Seconds without a trade of `code` while its market trades; null: nobody expects one. */
function silentFor(code) {
  const found = desk.market.find(code);
  const market = facts.status?.freshness?.markets?.[found?.market];
  return found && market?.open && Number.isFinite(found.time) ? now() - found.time : null;
}

/** What `/codes` tells of contracts. */
function learn(answer) {
  for (const [code, known] of Object.entries(answer?.codes ?? {})) desk.market.known(code, known);
  if (answer) operations.learn(answer.markets);
}

function assess() {
  facts.isDemo ||= desk.market.isDemo;
  const { newest } = desk.market;
  facts.tradedAt = Object.fromEntries(Object.entries(newest).map(([name, at]) => [name, byBrowser(at)]));
  const found = conditions(facts);
  const ids = new Set(found.filter(({ level }) => level !== "info").map(({ id }) => id));
  banner.show(found, facts.status?.access?.role === "control");
  alarms.troubles(ids);
  line.write();
  desk.age(ages(facts));
  desk.explain(reason());
  inNextFrame(title);
}

/** Why there is no code, and what can be done. */
function reason() {
  const found = why(facts, line.rate);
  return { ...found, act: REMEDIES[found.id] };
}

// -- what is in view ----------------------------------------------------------------------

function goTo(change, isSmall) {
  const { view, code, interval } = router.place;
  const place = view === "market" ? { code: code || desk.chosen?.code, interval } : {};
  router.go({ view: "market", ...place, ...change }, isSmall);
  if (!isSmall && change.code && document.body.dataset.pane === "list") document.body.dataset.pane = "chart";
  showView("market");
}

function arrive(place) {
  showView(place.view);
  events.isInView = place.view === "ops";
  if (place.view === "ops") {
    // Without a panel there is none of that name.
    const panel = document.querySelector(`#ops [data-panel="${CSS.escape(place.panel)}"]`);
    if (panel) unfold(panel);
    panel?.scrollIntoView({ block: "nearest" });
    panel?.focus();
  } else {
    choose();
  }
  title();
}

/** Show the code of the address, else the one of the last visit, else the first. */
function choose() {
  const { view, code, interval } = router.place;
  if (view !== "market") return;
  const found = code ? desk.market.find(code) : desk.usual;
  if (!found) return;
  if (code) browser.set("code", found.code);
  desk.show(found, interval);
  line.market = found.market;
}

/** A replay goes on somewhere else: nothing that was shown is from there. */
function beginAnew() {
  desk.forget();
  socket.reconnect(); // with the newest of all that came since
}

function title() {
  document.title = titleText(desk.chosen, {
    isAlarm: document.documentElement.dataset.alarm === "yes", isReplay: facts.kind === "replay",
  });
}

/** Connect, and ask for everything. */
function begin() {
  socket.reconnect();
  refresh();
  log.refresh();
  codes.refresh();
}

const toMarket = () => router.go({ view: "market", code: desk.chosen?.code });
const toOps = () => router.go({ view: "ops" });
const toAlarms = () => {
  toMarket();
  alarms.open();
};
const hurry = () => document.hidden || socket.hurry();

onKey("m", toMarket);
onKey("n", toAlarms);
onKey("o", toOps);
onKey("/", () => {
  toMarket();
  desk.find();
});
listenToKeys();
listenToFolds();
listenToPanes(toOps, toAlarms, toMarket);
for (const id of ["open-alarms", "to-alarms", "bell"]) byId(id).addEventListener("click", toAlarms);
preferences();
tokenDialog(begin);
onLanguage(assess);
window.addEventListener("online", hurry);
document.addEventListener("visibilitychange", hurry);
arrive(router.place);
begin();
