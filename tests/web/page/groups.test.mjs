/** Lists of one's own: their order, kept on the device. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Groups } from "../../../gateway/web/static/model/groups.js";

function groups(...codes) {
  const kept = new Map([["groups", JSON.stringify([{ name: "", codes }])], ["group", "mine"]]);
  const made = new Groups({ get: (name) => kept.get(name) ?? "", set: (name, text) => kept.set(name, text) });
  return { made, codes: () => JSON.parse(kept.get("groups"))[0].codes };
}

test("a code goes to the place of another one, also past codes that nobody has heard of", () => {
  const { made, codes } = groups("2330", "gone", "2317", "0050");
  assert.ok(made.move({ code: "0050" }, { code: "2330" }));
  assert.deepEqual(codes(), ["0050", "2330", "gone", "2317"]);
  assert.ok(made.move({ code: "0050" }, { code: "2317" }));
  assert.deepEqual(codes(), ["2330", "gone", "2317", "0050"]);
  assert.ok(!made.move({ code: "0050" }, undefined));
  assert.ok(!made.move({ code: "1101" }, { code: "2330" }));
});

test("a list that is sorted, and a kind of contracts, keep their order", () => {
  const { made } = groups("2330", "2317");
  made.sortBy("price");
  assert.ok(!made.isFree && !made.move({ code: "2330" }, { code: "2317" }));
  made.chosen = "stocks";
  assert.ok(!made.isFree);
});
