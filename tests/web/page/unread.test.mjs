/** Fields that Market does not read. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { unread } from "../../../gateway/web/static/model/unread.js";

test("a value of a wrong type is named, and one that is missing is not", () => {
  const tick = { code: "TXFR1", price: { a: 1 }, volume: "7", open: null, datetime: 5, close: "x" };
  assert.deepEqual(unread("market_tick", tick), ["price", "close", "datetime"]);
  const book = { code: "TXFR1", bid_price: [1, "2"], ask_price: [{}], ask_volume: "x" };
  assert.deepEqual(unread("market_bidask", book), ["ask_price", "ask_volume"]);
});

test("of other events, and of what is no object, nothing is expected", () => {
  assert.deepEqual(unread("weather", { price: "x" }), []);
  assert.deepEqual(unread("market_tick", null), []);
  assert.deepEqual(unread("market_tick", undefined), []);
});
