/** The small line of a code: few bars, whatever was traded. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Series } from "../../../gateway/web/static/model/series.js";

test("bars are joined when there is no room for more", () => {
  const series = new Series(4);
  for (let i = 0; i < 10; i++) series.add(1000 + 2 * i, i, 1);
  const columns = ["time", "open", "high", "low", "close", "volume"]
    .map((name) => [...series[name]].slice(0, series.length));
  assert.deepEqual([series.step, ...columns], [10, [1000, 1010], [0, 5], [4, 9], [0, 5], [4, 9], [5, 5]]);
});

test("bars of days are bounded and add up", () => {
  const series = new Series();
  for (let i = 0; i < 300_000; i++) series.add(3 * i, i, 1);
  const last = series.length - 1;
  assert.ok(series.length <= 240);
  assert.deepEqual([series.step, series.close[last], series.volume[last - 1]], [1800, 299_999, 600]);
  assert.equal(series.time[0] % 1800, 0);
});
