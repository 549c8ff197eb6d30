/** What becomes of figures and of lines of the log before they are shown. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { decimals } from "../../../gateway/web/static/model/ticks.js";
Object.defineProperty(globalThis, "navigator", { value: { language: "en" }, configurable: true });
const { added } = await import("../../../gateway/web/static/ops/log.js");
const { bytes, signed } = await import("../../../gateway/web/static/ui/format.js");

test("numbers are written with the decimals that they need", () => {
  assert.deepEqual([23000, 60.05, 0.1 + 0.2, 1 / 3].map(decimals), [0, 2, 1, 4]);
  assert.deepEqual([signed(-0.5, 2), signed(1234, 0), signed(0, 1)], ["\u22120.50", "+1,234", "0.0"]);
  assert.deepEqual([bytes(999), bytes(65_536)], ["999 B", "66 KB"]);
});

test("only lines of the log that are new are added", () => {
  for (const [before, after, wanted] of [
    [[], ["a"], ["a"]],
    [["a", "b"], ["a", "b"], []],
    [["a", "b"], ["b", "c"], ["c"]],
    [["a", "a"], ["a", "a", "a"], ["a"]],
    [["a", "b"], ["c", "d"], ["c", "d"]],
  ]) assert.deepEqual(added(before, after), wanted);
});
