/** What the page makes of what the gateway tells: belief, conditions, ages, the reason for an empty list, the title. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ages } from "../../../gateway/web/static/model/ages.js";
import { belief } from "../../../gateway/web/static/model/belief.js";
import { now } from "../../../gateway/web/static/model/clock.js";
import { conditions } from "../../../gateway/web/static/model/conditions.js";
import { figures } from "../../../gateway/web/static/market/widths.js";
Object.defineProperty(globalThis, "navigator", { value: { language: "en" }, configurable: true });
const { reason } = await import("../../../gateway/web/static/reason.js");
const { titleText } = await import("../../../gateway/web/static/market/title.js");

const market = (open, stale = null) => ({ open, stale, opens: "2026-12-01T15:00:00+08:00" });

function facts({ markets = { futures: market(true), stocks: market(true) }, stale = [], silentCodes = [], ...more } = {}) {
  const status = { running: true, ready: true, state: "running", freshness: { markets, stale, silentCodes, events: {} } };
  return { status, connected: true, kind: "", isDemo: false, lostAt: null, ...more };
}

test("quotes have stopped since the longest silence of a market that is open", () => {
  const markets = { futures: market(true, "no ticks"), stocks: market(false, "no ticks") };
  const told = facts({ markets, tradedAt: { futures: 2000, stocks: 1000 } });
  assert.deepEqual(belief(told), { id: "silent", level: "bad", since: 2000 });
  markets.stocks.open = true;
  assert.equal(belief(told).since, 1000);
});

test("what is wrong and what is believed agree on refusals, silence, and a gateway that is gone", () => {
  const both = (told) => [belief(told).id, conditions(told)[0]?.id];
  assert.deepEqual(both(facts({ error: { status: 401, code: "token_wrong" } })), ["wrongToken", "wrongToken"]);
  assert.deepEqual(both(facts({ refused: true })), ["token", "token"]);
  assert.deepEqual(both(facts({ connected: false })), ["gone", "gateway"]);
  assert.deepEqual(both(facts({ markets: { futures: market(true, "none") } })), ["silent", "stale"]);
  assert.deepEqual(both(facts()), ["live", undefined]);
  assert.deepEqual(both(facts({ kind: "replay" })), ["replay", undefined], "its bar says so");
  assert.deepEqual(both(facts({ kind: "rehearsal" })), ["rehearsal", "rehearsal"]);
});

test("a price is old where its market or its code is silent, and everything where the gateway is gone", () => {
  const told = facts({ stale: ["stocks"], silentCodes: ["TXFL6"] });
  const { isOld, since } = ages(told);
  assert.ok(isOld({ market: "stocks", code: "2330" }));
  assert.ok(isOld({ market: "futures", code: "TXFR1", target: "TXFL6" }));
  assert.ok(!isOld({ market: "futures", code: "MXFR1" }));
  assert.equal(since, null);
  told.status.freshness.markets.stocks.open = false;
  assert.ok(!ages(told).isOld({ market: "stocks", code: "2330" }), "a closed market owes nothing");
  const gone = ages(facts({ connected: false, lostAt: 5000 }));
  assert.ok(gone.isOld({ market: "futures", code: "MXFR1" }) && gone.since > 0);
});

test("a code is closed with its market, unless it has just traded, or a recording is shown", () => {
  const markets = { futures: market(false) };
  const quiet = { market: "futures", time: now() - 600 };
  assert.ok(ages(facts({ markets })).isClosed(quiet));
  assert.ok(!ages(facts({ markets })).isClosed({ ...quiet, time: now() - 5 }));
  assert.ok(!ages(facts({ markets, kind: "replay" })).isClosed(quiet));
  assert.equal(ages(facts({ markets })).opens(quiet), Date.parse("2026-12-01T15:00:00+08:00") / 1000);
});

test("an empty list has one reason, the nearest one", () => {
  const told = (more) => reason(facts(more), 21.4);
  assert.deepEqual(told({ refused: true }), { id: "token" });
  assert.deepEqual(told({ lacksKeys: true }), { id: "keys" });
  const custom = facts();
  custom.status.freshness.events = { weather: { last: "2026-12-01T10:00:00Z" } };
  assert.deepEqual(reason(custom, 21.4), { id: "custom", values: { rate: "21" } });
  const down = facts();
  Object.assign(down.status, { state: "fatal", ready: false, lastExit: { code: 1, signal: null, class: "other" } });
  assert.deepEqual(reason(down, null), { id: "down", values: { why: "exit code 1" } });
  assert.deepEqual(told(), { id: "waiting" });
});

test("the title has the price and its change, and what must be known before it", () => {
  const it = { shown: 31268, change: 148, digits: 0, isTrial: false, code: "TXFR1" };
  const calm = { isAlarm: false, isReplay: false };
  assert.equal(titleText(it, calm), "31,268 ▲148 TXFR1 · sjgateway");
  assert.equal(titleText({ ...it, change: -2.5 }, { isAlarm: true, isReplay: true }), "⚠ ▶ 31,268 ▼2.5 TXFR1 · sjgateway");
  assert.equal(titleText({ ...it, isTrial: true, change: 0 }, calm), "Trial 31,268 TXFR1 · sjgateway");
  assert.equal(titleText(null, { ...calm, isAlarm: true }), "⚠ sjgateway");
});

test("points and commas are half as wide as figures", () => {
  assert.equal(figures("1,842.55"), 7);
  assert.equal(figures("\u221242"), 3);
});
