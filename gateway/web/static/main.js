/** Puts the page together: the gateway's events to the market, `/status` to everybody. */

import { Alerts } from "./ops/alerts.js";
import { Clients } from "./ops/clients.js";
import { conditions } from "./model/conditions.js";
import { Credentials } from "./ops/credentials.js";
import { byId, mark, Text } from "./ui/dom.js";
import { number } from "./ui/format.js";
import { inNextFrame } from "./ui/frame.js";
import { Hours } from "./ops/hours.js";
import { onLanguage, t, translate } from "./ui/i18n.js";
import { Log } from "./ops/log.js";
import { Market } from "./model/market.js";
import { Poll } from "./net/poll.js";
import { preferences } from "./ui/preferences.js";
import { Quotes } from "./market/quotes.js";
import { Rates } from "./ops/rates.js";
import { Replay } from "./ops/replay.js";
import { Selected } from "./market/selected.js";
import { Socket } from "./net/socket.js";
import { browser, tab } from "./ui/store.js";
import { Worker } from "./ops/worker.js";

const EVENTS = [
  "market_tick",
  "market_bidask",
  "market_snapshot",
  "market_contract",
  "python_status",
  "python_error",
  "shioaji_ready",
  "heartbeat",
  "feed_status",
];

/** What may be shown instead of the market, as `/status` has it. */
const KINDS = ["replay", "rehearsal", "demo"];

/** The reason of a feed_status that only follows from the worker's end. */
const WORKER_GONE = "the worker is gone";

translate();

const facts = {
  status: null,
  error: null,
  connected: null, // nobody knows yet
  refused: false,
  lacksKeys: false,
  broker: null,
  kind: "",
};
let chosen = null;

const status = new Poll("status", told);
const refresh = () => status.refresh();
const alerts = new Alerts();
const worker = new Worker(refresh);
const clients = new Clients();
const rates = new Rates();
const log = new Log();
const hours = new Hours();
const selected = new Selected();
const quotes = new Quotes(choose);
const market = new Market(marketChanged, marketJoined);
const replay = new Replay(refresh, beginAnew);
const kindText = new Text(byId("mark"));
const connection = new Text(byId("connection-text"));
new Credentials(refresh);

const url = new URL("socket.io/?EIO=4&transport=websocket", document.baseURI);
url.protocol = url.protocol.replace("http", "ws");
const socket = new Socket(url, auth, {
  connected: () => connect({ connected: true, refused: false }),
  refused: () => connect({ connected: false, refused: true }),
  lost: () => connect({ connected: false }),
  event,
});

function auth() {
  const token = tab.get("token");
  return { events: EVENTS, snapshot: true, trusted: true, ...(token && { token }) };
}

function connect(change) {
  const was = facts.connected;
  Object.assign(facts, change);
  if (was !== facts.connected) refresh();
  assess();
}

function event(name, value) {
  if (typeof value !== "object" || value === null) return;
  market.event(name, value, Date.now());
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
    alerts.note(`error ${at} ${error}`, at, "bad", () => t("history.error", { error }));
  },
  feed_status: (value) => {
    refresh();
    const { market: name, status: state, reason, timestamp } = value;
    if (reason === WORKER_GONE) return; // that is told already
    if (typeof state !== "string") return; // whoever may publish could have said it
    const level = { stale: "warn", live: "good" }[state] ?? "info";
    const text = () => t(`history.${state}`, { market: t(`market.${name}`) || name });
    alerts.note(`feed ${name} ${timestamp}`, timestamp, level, text);
  },
  shioaji_ready: (value) => {
    market.isDemo = value.demo === true;
    mark(byId("simulation"), "shown", value.simulation === true && !value.demo ? "yes" : "");
    refresh();
  },
  heartbeat: ({ shioaji_connected: connected }) => {
    if (typeof connected === "boolean" && connected !== facts.broker) refresh();
  },
};

function told(answer, error) {
  facts.error = error;
  if (answer) {
    facts.status = answer;
    if (answer.broker) facts.broker = answer.broker.connected;
    facts.kind = KINDS.find((kind) => answer[kind] === true) ?? "";
    replay.update(answer.replaying ?? null);
    worker.update(answer);
    clients.update(answer.clients, answer.relay);
    rates.update(answer.freshness.events);
    quotes.stale(answer.freshness.stale, answer.freshness.silentCodes);
    hours.update(market.isDemo || facts.kind ? {} : answer.freshness.markets);
    alerts.exits(answer.exits);
  }
  assess();
}

function assess() {
  alerts.show(conditions({ ...facts, isDemo: market.isDemo }));
  const state = facts.connected ? "live" : "lost";
  mark(byId("connection"), "state", state);
  connection.set(t(`connection.${state}`));
  byId("mark").hidden = !facts.kind;
  kindText.set(facts.kind && t(`mark.${facts.kind}`));
  inNextFrame(title);
}

function marketChanged(instrument, isNew) {
  quotes.changed(instrument);
  selected.changed(instrument);
  if (instrument === chosen) inNextFrame(title);
  if (isNew) inNextFrame(chooseFirst);
}

/** Two codes are one contract: what was shown of the other is shown of this one. */
function marketJoined(other, instrument) {
  quotes.remove(other);
  if (other === chosen) choose(instrument);
}

/** A replay goes on somewhere else: nothing that was shown is from there. */
function beginAnew() {
  market.forget();
  quotes.clear();
  chosen = null;
  socket.reconnect(); // with the newest of all that came since
}

/** The code of the last visit, else the first there is. */
function chooseFirst() {
  const known = market.codes.get(browser.get("code"));
  if (known && known !== chosen) quotes.choose(known);
  else if (!chosen && quotes.first) quotes.choose(quotes.first);
}

function choose(instrument) {
  if (chosen) browser.set("code", instrument.code);
  chosen = instrument;
  selected.show(instrument);
  title();
}

function title() {
  const alarm = document.documentElement.dataset.alarm === "yes" ? "⚠ " : "";
  const price = chosen && Number.isFinite(chosen.price)
    ? `${chosen.code} ${number(chosen.price, chosen.digits)} · `
    : "";
  const kind = facts.kind === "replay" ? `${t("mark.replay")} · ` : "";
  document.title = `${alarm}${kind}${price}sjgateway`;
}

preferences(() => {
  socket.reconnect();
  refresh();
  log.refresh();
});
onLanguage(assess);
for (const woken of ["online", "visibilitychange"]) {
  (woken === "online" ? window : document).addEventListener(woken, () => {
    if (!document.hidden) socket.hurry();
  });
}
socket.reconnect();
refresh();
log.refresh();
