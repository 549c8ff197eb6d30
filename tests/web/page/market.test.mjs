/** What a code's events come to: prices, the book, and what options are about. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Market } from "../../../gateway/web/static/model/market.js";
import { expiries, underlying } from "../../../gateway/web/static/model/option_board.js";
import { Recall } from "../../../gateway/web/static/model/recall.js";
Object.defineProperty(globalThis, "navigator", { value: { language: "en" }, configurable: true });
const { changeTexts, priceText } = await import("../../../gateway/web/static/market/words.js");

const STOCK = [[10, 0.01], [50, 0.05], [100, 0.1], [500, 0.5], [1000, 1], [null, 5]];

class World {
  now = 1_800_000_000_000;
  market = new Market({ changed() {}, joined() {}, traded() {} });

  tell(name, code, value) {
    this.now += 1000;
    const timestamp = new Date(this.now).toISOString();
    this.market.event(name, { code, timestamp, ...value }, this.now);
    return this.market.find(code);
  }

  tick(code, price, more = {}) {
    return this.tell("market_tick", code, { price, volume: 1, ...more });
  }
}

test("no price is rounded where the step of prices changes", () => {
  const world = new World();
  world.tell("market_contract", "2454", { reference: 480.5, tick: STOCK });
  const stock = world.tick("2454", 500, { price_chg: 19.5 });
  assert.equal(priceText(stock.price, stock), "500");
  assert.equal(priceText(499.5, stock), "499.5");
  assert.equal(priceText(stock.reference, stock), "480.5");
  assert.deepEqual(changeTexts(stock), ["19.5", "+4.06%"]);
  const other = world.tick("2002", 50.1, { price_chg: 0.55 });
  other.contract({ tick: STOCK });
  assert.equal(changeTexts(other)[0], "0.55");
});

test("odd lots are another market: neither their book nor their trials are shown", () => {
  const world = new World();
  world.tell("market_bidask", "2330", { bid_price: [2010], bid_volume: [5] });
  world.tick("2330", 2015);
  const stock = world.tell("market_bidask", "2330", { bid_price: [2001], bid_volume: [9], intraday_odd: true });
  assert.deepEqual(stock.depth.bid_price, [2010]);
  world.tick("2330", 2001, { intraday_odd: true, simtrade: true });
  assert.equal(stock.shown, 2015);
  world.tick("2330", 2020, { simtrade: true });
  world.tick("2330", 2001, { intraday_odd: 1 });
  assert.ok(stock.isTrial, "a trial match goes on when odd lots trade");
});

test("options are about the newest index that was told, not about that of the lowest strike", () => {
  const world = new World();
  world.tick("TXO23000L6", 900, { underlying_price: 23_800 });
  world.tick("TXO23800L6", 200, { underlying_price: 23_950 });
  world.tick("TXO24000L6", 90); // says nothing of it
  world.tell("market_contract", "TXO24000L6", { listed_strikes: 84 });
  const [group] = expiries(world.market.codes.values());
  assert.deepEqual([group.strikes.length, group.listed], [3, 84]);
  const find = (code) => world.market.find(code);
  assert.deepEqual(underlying(group, find), { price: 23_950, source: "spot" });
  world.tick("TXO23000L6", 950, { underlying_price: 23_960 });
  assert.equal(underlying(group, find).price, 23_960);
});

test("the small line of a code in view begins with its session, asked for once and in turns", async () => {
  const world = new World();
  const [a, b] = [world.tick("2330", 100), world.tick("2317", 50)];
  const asked = [], answers = [], changed = [];
  const ask = (path) => new Promise((answer, refuse) => {
    asked.push(new URLSearchParams(path.split("?")[1]).get("code"));
    answers.push([answer, refuse]);
  });
  const recall = new Recall(ask, ({ code }) => changed.push(code));
  const settled = () => new Promise((done) => { setImmediate(done); });
  for (const each of [a, b, a]) recall.want(each);
  assert.deepEqual(asked, ["2330"]);
  const before = a.time - 600;
  answers[0][0]({ bars: { time: [before, before + 300], close: [90, 95], volume: [1, 1] } });
  await settled();
  assert.deepEqual([...a.sketch.close.subarray(0, a.sketch.length)], [90, 95, 100]);
  assert.deepEqual([changed, asked], [["2330"], ["2330", "2317"]]);
  answers[1][1](Object.assign(new Error(), { status: 404 }));
  await settled();
  recall.want(world.tick("0050", 80));
  assert.equal(asked.length, 2, "the gateway keeps no bars");
});
