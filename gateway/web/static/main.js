/** Puts the page together: the gateway's events to the market, `/status` to everybody. */

import { Desk } from "./market/desk.js";
import { priceText } from "./market/words.js";
import { isOld, belief } from "./model/belief.js";
import { byGateway, now, settle } from "./model/clock.js";
import { conditions } from "./model/conditions.js";
import { Poll } from "./net/poll.js";
import { Socket } from "./net/socket.js";
import { AlarmPanel } from "./market/alarms.js";
import { Rates, total } from "./model/rates.js";
import { Access } from "./ops/access.js";
import { Banner } from "./ops/banner.js";
import { Clients } from "./ops/clients.js";
import { Cluster } from "./ops/cluster.js";
import { Credentials } from "./ops/credentials.js";
import { Day } from "./ops/day.js";
import { Events } from "./ops/events.js";
import { ending } from "./ops/exits.js";
import { Log } from "./ops/log.js";
import { Record } from "./ops/record.js";
import { Replay } from "./ops/replay.js";
import { Sources } from "./ops/sources.js";
import { tokenDialog } from "./ops/token.js";
import { Worker } from "./ops/worker.js";
import { announce } from "./ui/announce.js";
import { byId, mark } from "./ui/dom.js";
import { listen as listenToFolds, unfold } from "./ui/folds.js";
import { exact, moment, number } from "./ui/format.js";
import { inNextFrame } from "./ui/frame.js";
import { onLanguage, t, translate } from "./ui/i18n.js";
import { listen as listenToKeys, onKey } from "./ui/keys.js";
import { listen as listenToPanes, show as showView } from "./ui/panes.js";
import { preferences } from "./ui/preferences.js";
import { Router } from "./ui/route.js";
import { StatusLine } from "./ui/status_line.js";
import { browser } from "./ui/store.js";
import { token } from "./ui/token.js";

const QUOTES = ["market_tick", "market_bidask", "market_snapshot", "market_contract"];
const EVENTS = [...QUOTES, "python_status", "python_error", "shioaji_ready", "heartbeat", "feed_status"];
/** Names that are the worker's own business, and no feed of somebody's. */
const KNOWN = new Set([...EVENTS, "market_kbars", "contracts_loaded", "option_metadata", "other"]);

/** What may be shown instead of the market, as `/status` has it. */
const KINDS = ["replay", "rehearsal", "demo"];

/** What is no market of now: alarms are silent. */
const RECORDED = new Set(["replay", "rehearsal"]);
/** Conditions that alarms of a kind are about. */
const TROUBLES = {
  worker: ["fatal", "exited", "backoff", "pause", "unready", "engineio3", "proxy", "url", "broker"],
  feed: ["stale"],
  gateway: ["gateway", "token", "wrongToken"],
};

const AT_REST = 60; // seconds after a trade in which nobody says that a code is closed, whatever the hours
const CODES_EVERY = 30_000; // milliseconds: contracts seldom change

/** The reason of a feed_status that only follows from the worker's end. */
const WORKER_GONE = "the worker is gone";

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

const status = new Poll("status", told);
const refresh = () => status.refresh();
const line = new StatusLine(facts);
const router = new Router(arrive);
const desk = new Desk(
  {
    chosen: (instrument, isSmall) => goTo({ code: instrument.code }, isSmall),
    interval: (interval) => goTo({ interval }, true),
    feed: () => router.go({ view: "ops", panel: "events" }),
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
const codes = new Poll("codes", learn, CODES_EVERY);

// Operations
const record = new Record();
const banner = new Banner();
const worker = new Worker(refresh);
const day = new Day();
const sources = new Sources(() => [...desk.market.codes.values()]);
const access = new Access(refresh);
const clients = new Clients();
const cluster = new Cluster();
const rates = new Rates();
const log = new Log();
const events = new Events(inspect);
const alarms = new AlarmPanel({
  fired: alarmed, changed: () => desk.alarmed(), chosen: () => desk.chosen, silent: silentFor,
});
const replay = new Replay(refresh, beginAnew);
new Credentials(refresh);

const url = new URL("socket.io/?EIO=4&transport=websocket", document.baseURI);
url.protocol = url.protocol.replace("http", "ws");
const socket = new Socket(url, auth, {
  connected: () => connect({ connected: true, refused: false, lostAt: null }),
  refused: () => connect({ connected: false, refused: true }),
  lost: () => connect({ connected: false, lostAt: facts.lostAt ?? Date.now() }),
  event: (name, [value]) => event(name, value),
});

const inspection = new Socket(url, () => auth({ trusted: !inspectsAll }), {
  connected: () => {},
  refused: () => {},
  lost: () => {},
  event: (name, values, text) => events.event(name, values, text),
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

function event(name, value) {
  if (typeof value !== "object" || value === null) return;
  desk.market.event(name, value, Date.now());
  if (Object.hasOwn(REACTIONS, name)) REACTIONS[name](value);
}

const REACTIONS = {
  python_status: (value) => {
    if (facts.kind === "replay" && !value.replay) return; // of the day that was recorded
    if (value.status === "no credentials") facts.lacksKeys = true;
    else if (value.status === "starting" || value.status === "ready") facts.lacksKeys = false;
    refresh();
    log.refresh();
  },
  python_error: (value) => {
    const error = String(value.error ?? "");
    const at = value.timestamp;
    record.note(`error ${at} ${error}`, at, { level: "bad", text: () => t("history.error", { error }) });
  },
  feed_status: (value) => {
    refresh();
    const { market: name, status: state, reason: why, timestamp } = value;
    if (why === WORKER_GONE) return; // that is told already
    if (typeof state !== "string") return; // whoever may publish could have said it
    const level = { stale: "warn", live: "good" }[state] ?? "info";
    const text = () => t(`history.${state}`, { market: t(`market.${name}`) || name });
    record.note(`feed ${name} ${timestamp}`, timestamp, { level, text });
  },
  shioaji_ready: (value) => {
    facts.isDemo = value.demo === true;
    mark(byId("simulation"), "shown", value.simulation === true && !value.demo ? "yes" : "");
    refresh();
    codes.refresh();
  },
  heartbeat: ({ shioaji_connected: connected }) => {
    if (typeof connected === "boolean" && connected !== facts.broker) refresh();
  },
};

function told(answer, error) {
  facts.error = error;
  if (answer) {
    settle(answer.time, answer.timezone);
    facts.status = answer;
    if (answer.broker) facts.broker = answer.broker.connected;
    facts.kind = KINDS.find((kind) => answer[kind] === true) ?? "";
    replay.update(answer.replaying ?? null, answer.access.role === "control");
    tellOperations(answer);
    desk.feeds(feeds(answer.freshness.events));
  } else if (!error.status) {
    worker.update(null);
    line.rate = null;
  }
  assess();
}

function tellOperations(answer) {
  const rated = rates.update(answer.freshness.events, performance.now());
  line.rate = total(rated);
  events.told(rated);
  worker.update(answer);
  day.update(answer);
  sources.update(answer, feeds(answer.freshness.events).length, !facts.kind && !facts.isDemo);
  access.update(answer);
  clients.update(answer.clients, answer.relay);
  cluster.update(answer);
  record.exits(answer.exits);
  record.actions(answer.actions);
  log.ended(answer.lastExit);
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

/** By market, when its newest trade was, in milliseconds of the browser's clock. */
function lastTrades() {
  const found = {};
  for (const { market, time } of desk.market.codes.values()) {
    if (!(time <= found[market]) && Number.isFinite(time)) found[market] = time;
  }
  for (const [market, time] of Object.entries(found)) found[market] = Date.now() - (now() - time) * 1000;
  return found;
}

/** Events that are no quotes. */
function feeds(events) {
  return Object.entries(events)
    .filter(([name]) => !KNOWN.has(name))
    .map(([name, { last }]) => ({ name, at: Date.parse(last) }));
}

/** What `/codes` tells of contracts. */
function learn(answer) {
  for (const [code, known] of Object.entries(answer?.codes ?? {})) desk.market.known(code, known);
  if (answer) day.learn(answer.markets);
}

function assess() {
  facts.isDemo ||= desk.market.isDemo;
  facts.tradedAt = lastTrades();
  const found = conditions(facts);
  const ids = new Set(found.filter(({ level }) => level !== "info").map(({ id }) => id));
  banner.show(found, facts.status?.access?.role === "control");
  for (const [kind, troubles] of Object.entries(TROUBLES)) {
    alarms.trouble(kind, troubles.some((id) => ids.has(id)));
  }
  line.write();
  const all = isOld(belief(facts));
  const { stale = [], silentCodes = [], markets = {} } = facts.status?.freshness ?? {};
  const silent = new Set(silentCodes);
  desk.age({
    isOld: ({ market, code, target }) => all || silent.has(code) || silent.has(target) ||
      (stale.includes(market) && markets[market]?.open !== false),
    isClosed: ({ market, time }) => !facts.kind && !facts.isDemo && markets[market]?.open === false &&
      !(now() - time < AT_REST),
    opens: ({ market }) => Date.parse(markets[market]?.opens) / 1000,
    since: all && facts.lostAt ? byGateway(facts.lostAt) : null,
  });
  desk.explain(reason());
  inNextFrame(title);
}

/** Why there is no code. */
function reason() {
  const open = (id) => () => byId(id).click();
  const to = (panel) => () => router.go({ view: "ops", panel });
  const { id, until } = belief(facts);
  const { state, freshness, lastExit, nextStartAt } = facts.status ?? {};
  if (id === "token" || id === "wrongToken") return { id, act: open("open-token") };
  if (id === "gone" || id === "asking") return { id };
  if (facts.lacksKeys) return { id: "keys", act: open("open-credentials") };
  if (feeds(freshness?.events ?? {}).length) {
    return { id: "custom", act: to("events"), values: { rate: number(line.rate ?? 0) } };
  }
  if (state === "disabled") return { id: "noworker", act: to("events") };
  if (state === "fatal" || state === "backoff") {
    return { id: "down", act: to("worker"), values: { why: lastExit ? ending(lastExit) : "" } };
  }
  if (id === "closed" && until) {
    const start = nextStartAt ? t("empty.start", { time: moment(nextStartAt) }) : "";
    return { id, values: { time: moment(new Date(until)), start } };
  }
  return { id: "waiting" };
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
  const alarm = document.documentElement.dataset.alarm === "yes" ? "⚠ " : "";
  const kind = facts.kind === "replay" ? "▶ " : "";
  const { chosen } = desk;
  const arrow = { 1: "▲", "-1": "▼" }[Math.sign(chosen?.change)] ?? "";
  const size = arrow && exact(Math.abs(chosen.change), chosen.digits);
  const trial = chosen?.isTrial ? `${t("label.trial")} ` : "";
  const price = Number.isFinite(chosen?.shown)
    ? `${trial}${priceText(chosen.shown, chosen)} ${arrow}${size} ${chosen.code} · ` : "";
  document.title = `${alarm}${kind}${price}sjgateway`;
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
