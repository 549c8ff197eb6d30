/** JSON as it is shown: whole, bounded, and without anything that hides. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { parts, shortened, visible } from "../../../gateway/web/static/model/json_text.js";

const text = (value, most = Infinity) => parts(value, most).parts.map(([, said]) => said).join("");

test("what is shown is the JSON, with its kinds", () => {
  const value = { code: "2330", price: 2015.5, trial: false, book: [1, 2], none: null, deep: [{ a: 1 }, []] };
  assert.deepEqual(JSON.parse(text(value)), value);
  const kinds = new Map(parts(value, Infinity).parts.map(([kind, said]) => [said, kind]));
  assert.equal(kinds.get('"code"'), "key");
  assert.equal(kinds.get('"2330"'), "text");
  assert.equal(kinds.get("2015.5"), "figure");
  assert.equal(kinds.get("null"), "word");
});

test("what is empty stays empty, and quotes stay quotes", () => {
  for (const value of [{}, [], "", [[]], { "": [] }, 'say "a\\b"', [""], { a: {} }]) {
    assert.deepEqual(JSON.parse(text(value)), value);
  }
});

test("what can't be seen is shown", () => {
  assert.equal(visible("a\nb\t\u0000"), "a␊b␉␀");
  assert.equal(visible("\u202Eabc\u200B\uFEFF"), "⟨U+202E⟩abc⟨U+200B⟩⟨U+FEFF⟩");
  assert.equal(visible("\ud800x\udc00"), "⟨U+D800⟩x⟨U+DC00⟩");
  assert.equal(visible("漲停 📈 <b>"), "漲停 📈 <b>");
  assert.match(text({ "\u202Ekey": "\u2066v" }), /⟨U\+202E⟩key.*⟨U\+2066⟩v/);
});

test("as much is made as is shown, however large the value is", () => {
  const large = { list: Array.from({ length: 200_000 }, (_, i) => ({ i })) };
  const found = parts(large, 4096);
  assert.equal(found.isCut, true);
  assert.equal(found.parts.reduce((sum, [, said]) => sum + said.length, 0), 4096);
  assert.ok(found.parts.length < 4096);
  assert.equal(parts("short", 4096).isCut, false);
});

test("a long name is shortened in its middle", () => {
  const name = `begin${"x".repeat(10_000)}end`;
  const shown = shortened(name, 40);
  assert.equal(shown.length, 39);
  assert.match(shown, /^begin.*…x*end$/);
  assert.equal(shortened("short", 40), "short");
});
