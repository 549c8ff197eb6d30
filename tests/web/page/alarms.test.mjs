/** Alarms: which rules come true, and how often. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Alarms, KINDS } from "../../../gateway/web/static/model/alarms.js";

class World {
  now = 1_800_000_000_000;
  fired = [];
  alarms = new Alarms(({ kind, code }, facts) => this.fired.push([kind, code, facts.price]), () => this.now);

  trade(price, more = {}) {
    this.now += 1000;
    this.alarms.trade("2330", { time: this.now / 1000, price, size: 1, ...more });
    return this.fired.splice(0).map(([kind]) => kind);
  }

  wait(seconds) {
    this.now += seconds * 1000;
  }
}

test("a price that crosses its line fires, once, and rests then", () => {
  const world = new World();
  world.alarms.add({ kind: "above", code: "2330", value: 2000 });
  assert.deepEqual(world.trade(1990), []);
  assert.deepEqual(world.trade(2000), ["above"]);
  world.wait(100);
  world.trade(1900);
  assert.deepEqual(world.trade(2100), []);
  assert.equal(world.alarms.rules[0].isOn, false);
});

test("a line that was crossed before anybody looked is no news, and crossing it later is", () => {
  const world = new World();
  world.alarms.add({ kind: "below", code: "2330", value: 2000 });
  assert.deepEqual(world.trade(1990), []);
  assert.deepEqual(world.trade(1980), []);
  assert.deepEqual(world.trade(2001), []);
  assert.deepEqual(world.trade(1999), ["below"]);
});

test("each time means: after it was back by a thousandth, and not within a minute", () => {
  const world = new World();
  world.alarms.add({ kind: "above", code: "2330", value: 2000, each: true });
  world.trade(1990);
  assert.deepEqual(world.trade(2000), ["above"]);
  world.wait(100);
  assert.deepEqual([...world.trade(1999), ...world.trade(2001)], [], "it was not back far enough");
  assert.deepEqual([...world.trade(1997), ...world.trade(2001)], ["above"]);
  assert.deepEqual([...world.trade(1997), ...world.trade(2001)], [], "within a minute");
});

test("negative prices have lines, too", () => {
  const world = new World();
  world.alarms.add({ kind: "above", code: "2330", value: -42, each: true });
  assert.deepEqual([...world.trade(-50), ...world.trade(-42)], ["above"]);
});

test("only real trades of now count", () => {
  const world = new World();
  world.alarms.add({ kind: "above", code: "2330", value: 2000 });
  world.trade(1990);
  assert.deepEqual(world.trade(2100, { isTrial: true }), []);
  assert.deepEqual(world.trade(2100, { time: world.now / 1000 - 60 }), [], "an old one");
  world.alarms.trade("2317", { time: world.now / 1000, price: 2100, size: 1 });
  assert.deepEqual(world.fired, [], "another code");
  assert.deepEqual(world.trade(2100), ["above"]);
});

test("a trial price is waited for only where that is asked", () => {
  const world = new World();
  world.alarms.add({ kind: "trial", code: "2330", value: 2000 });
  assert.deepEqual(world.trade(1990, { isTrial: true }), []);
  assert.deepEqual(world.trade(2005), [], "a real one");
  assert.deepEqual(world.trade(2005, { isTrial: true }), ["trial"]);
});

test("percent, volume, limits and size", () => {
  const world = new World();
  for (const [kind, value] of [["rise", 5], ["fall", 5], ["volume", 1000], ["size", 50], ["limit", null]]) {
    world.alarms.add({ kind, code: "2330", value, each: true });
  }
  const calm = { percent: 1, volume: 900, limit: 0 };
  assert.deepEqual(world.trade(100, calm), []);
  assert.deepEqual(world.trade(100, { ...calm, percent: 5 }), ["rise"]);
  assert.deepEqual(world.trade(100, { ...calm, percent: -5.1 }), ["fall"]);
  assert.deepEqual(world.trade(100, { ...calm, volume: 1000 }), ["volume"]);
  assert.deepEqual(world.trade(100, { ...calm, limit: -1 }), ["limit"]);
  assert.deepEqual(world.trade(100, { ...calm, size: 50 }), ["size"]);
  assert.deepEqual(world.trade(100, { ...calm, percent: NaN }), []);
});

test("the first large trade is news, though nobody looked before", () => {
  const world = new World();
  world.alarms.add({ kind: "size", code: "2330", value: 50 });
  assert.deepEqual(world.trade(100, { size: 60 }), ["size"]);
});

test("silence is judged by the seconds since the last trade, and only while one is expected", () => {
  const world = new World();
  world.alarms.add({ kind: "silence", code: "2330", value: 60, each: true });
  const seen = [];
  for (const seconds of [null, 10, 61, 62, null, 5, 61]) {
    world.wait(61);
    world.alarms.look(() => seconds);
    seen.push(world.fired.splice(0).length);
  }
  assert.deepEqual(seen, [0, 0, 1, 0, 0, 0, 1]);
});

test("trouble fires when it begins", () => {
  const world = new World();
  world.alarms.add({ kind: "worker", each: true });
  for (const isThere of [true, false, true, true]) world.alarms.trouble("worker", isThere);
  world.alarms.trouble("feed", true);
  assert.deepEqual(world.fired.map(([kind]) => kind), ["worker"]);
});

test("what is kept comes back, and nonsense is left out", () => {
  const world = new World();
  world.alarms.add({ kind: "above", code: "2330", value: 2000, each: true });
  const again = new World();
  again.alarms.load(world.alarms.text());
  assert.deepEqual(again.alarms.rules.map(({ kind, code, value, each, isOn }) => [kind, code, value, each, isOn]),
    [["above", "2330", 2000, true, true]]);
  for (const text of ["", "{", "null", "5", '{"a":1}']) {
    again.alarms.load(text);
    assert.deepEqual(again.alarms.rules, []);
  }
  const wrong = [null, 5, {}, { kind: "toString" }, { kind: "above", code: "2330" },
    { kind: "above", code: "", value: 1 }, { kind: "above", code: "x".repeat(101), value: 1 },
    { kind: "above", code: 2330, value: 1 }, { kind: "above", code: "A", value: "1" }];
  again.alarms.load(JSON.stringify(wrong));
  assert.deepEqual(again.alarms.rules, []);
  assert.equal(again.alarms.add({ kind: "above", code: "A", value: NaN }), null);
});

test("rules are bounded", () => {
  const { alarms } = new World();
  for (let n = 0; n < 150; n++) alarms.add({ kind: "above", code: "A", value: n });
  assert.equal(alarms.rules.length, 100);
  assert.ok(Object.keys(KINDS).length > 10);
});

test("a rule that was changed is judged anew, and one that is off is not", () => {
  const world = new World();
  const rule = world.alarms.add({ kind: "above", code: "2330", value: 2000 });
  world.trade(1990);
  world.alarms.change(rule.id, { isOn: false });
  assert.deepEqual(world.trade(2100), []);
  world.alarms.change(rule.id, { isOn: true });
  assert.deepEqual(world.trade(2200), [], "it was there already");
  world.alarms.remove(rule.id);
  assert.deepEqual(world.alarms.rules, []);
});
