/** The model of the event inspector. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Inspector } from "../../../gateway/web/static/model/inspector.js";

function told(inspector, name, ...values) {
  inspector.add(JSON.stringify([name, ...values]), 1000);
}

test("the last twenty payloads of a name are kept, oldest first", () => {
  const inspector = new Inspector();
  for (let n = 0; n < 25; n++) told(inspector, "weather", { n });
  const { payloads } = inspector.channels.get("weather");
  assert.deepEqual(payloads.map(({ values }) => values[0].n), Array.from({ length: 20 }, (_, i) => i + 5));
});

test("a payload that is too long is kept as the beginning of its text", () => {
  const inspector = new Inspector();
  told(inspector, "big", { text: "x".repeat(100_000) });
  const [{ size, text, values }] = inspector.channels.get("big").payloads;
  assert.equal(text.length, 65_536);
  assert.ok(size > 100_000);
  assert.equal(values, undefined);
});

test("names are bounded, and those that found no place are counted", () => {
  const inspector = new Inspector();
  for (let n = 0; n < 210; n++) told(inspector, `name ${n}`, n);
  assert.equal(inspector.channels.size, 200);
  assert.equal(inspector.left, 10);
});

test("names like those of an object's own are names like any", () => {
  const inspector = new Inspector();
  for (const name of ["__proto__", "constructor", "", "toString"]) told(inspector, name, 1);
  assert.deepEqual(inspector.matching("", []), ["", "__proto__", "constructor", "toString"]);
});

test("names with escapes, and behind blanks, are read as they are", () => {
  const inspector = new Inspector();
  for (const text of ['["a\\"b",1]', '[ "\\u81fa" ,1]', '["\\\\",{"c":"\\""}]']) inspector.add(text, 1000);
  assert.deepEqual(inspector.matching("", []), ["\\", 'a"b', "臺"]);
  assert.deepEqual(inspector.channels.get('a"b').payloads[0].values, [1]);
});

test("a filter finds names, and what is in the last payload", () => {
  const inspector = new Inspector();
  told(inspector, "market_tick", { code: "TXFR1" });
  told(inspector, "market_tick", { code: "2330" });
  told(inspector, "weather", { city: "臺北" });
  assert.deepEqual(inspector.matching("TICK", ["heartbeat"]), ["market_tick"]);
  assert.deepEqual(inspector.matching("臺北", []), ["weather"]);
  assert.deepEqual(inspector.matching("TXFR1", []), [], "only the last one is looked at");
  assert.deepEqual(inspector.matching("", ["heartbeat"]), ["heartbeat", "market_tick", "weather"]);
});

test("while it is paused nothing is taken", () => {
  const inspector = new Inspector();
  told(inspector, "a", 1);
  inspector.pause(true);
  told(inspector, "a", 2);
  told(inspector, "b", 2);
  assert.deepEqual(inspector.channels.get("a").payloads.map(({ values }) => values), [[1]]);
  assert.equal(inspector.channels.has("b"), false);
  inspector.pause(false);
  told(inspector, "b", 3);
  assert.equal(inspector.channels.has("b"), true);
});
