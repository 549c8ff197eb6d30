/** What becomes of figures and of lines of the log before they are shown. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { decimals } from "../../../gateway/web/static/model/ticks.js";
Object.defineProperty(globalThis, "navigator", { value: { language: "en" }, configurable: true });
const { kindOf } = await import("../../../gateway/web/static/ops/log.js");
const { bytes, signed } = await import("../../../gateway/web/static/ui/format.js");

test("numbers are written with the decimals that they need", () => {
  assert.deepEqual([23000, 60.05, 0.1 + 0.2, 1 / 3].map(decimals), [0, 2, 1, 4]);
  assert.deepEqual([signed(-0.5, 2), signed(1234, 0), signed(0, 1)], ["\u22120.50", "+1,234", "0.0"]);
  assert.deepEqual([bytes(999), bytes(65_536)], ["999 B", "66 KB"]);
});

test("a line of the log is an error by its level, which a worker's text may name", () => {
  const before = { kind: "bad" };
  for (const [from, level, said, wanted] of [
    ["Python stdout", "", "30 orders", ""],
    ["Python stdout", "", "2026-12-01 ERROR no order", "bad"],
    ["Python stderr", "", "INFO logged in", ""],
    ["Python stderr", "", "WARNING login retry 1 of 3", "warn"],
    ["Python stderr", "", "what nobody knows", "warn"],
    ["Python stderr", "", "Traceback (most recent call last):", "bad"],
    ["Python stderr", "", '  File "main.py", line 212, in login', "bad"],
    ["Python stderr", "", "ConnectionError: StatusCode: 451", "bad"],
    ["Relay", "", "10 events in 10 s: ERROR 10", ""],
    ["Config", "WARN", "no ledger", "warn"],
    ["Gateway", "CRITICAL", "it broke", "bad"],
  ]) assert.equal(kindOf({ from, level, said }, before), wanted, said);
});
