/** The chart by what it draws: on a context that writes down what it is told. */

import assert from "node:assert/strict";
import { test } from "node:test";

const made = () => ({ dataset: {}, style: {}, append() {}, remove() {} });
Object.assign(globalThis, {
  document: { documentElement: made(), body: made(), createElement: made, addEventListener() {} },
  window: { matchMedia: () => ({ addEventListener() {} }) },
  getComputedStyle: ({ style }) => style,
});
Object.defineProperty(globalThis, "navigator", { value: { language: "en" }, configurable: true });
const chart = "../../../gateway/web/static/chart";
const { Bars } = await import("../../../gateway/web/static/model/bars.js");
const { times, trialBands } = await import(`${chart}/axis.js`);
const { drawBase } = await import(`${chart}/base.js`);
const { geometry } = await import(`${chart}/geometry.js`);
const { Handles } = await import(`${chart}/handles.js`);
const { drawLive } = await import(`${chart}/live.js`);
const { drawPointer } = await import(`${chart}/pointer.js`);
const { roundPrices } = await import(`${chart}/scale.js`);
const { View } = await import(`${chart}/view.js`);

const OPEN = 1_796_086_800; // 2026-12-01 09:00 in Taipei
const WIDTH = 600, HEIGHT = 320;

/** Collects texts with their places, and the boxes around them. */
function recorder() {
  const texts = [], boxes = [];
  const known = { texts, boxes, measureText: (text) => ({ width: 6 * text.length }) };
  known.fillText = (text, x, y) => texts.push({ text, x, y });
  known.roundRect = (x, y, width, height) => boxes.push({ x, y, width, height });
  return new Proxy(known, { get: (target, name) => target[name] ?? (() => {}), set: () => true });
}

/** What the chart shows: `closes` from the open on, a minute each; NaN: nothing but a trial. */
function shown(closes, more = {}) {
  const bars = new Bars();
  closes.forEach((close, i) => {
    const time = OPEN + 60 * (i - (more.early ?? 0));
    bars.merge({ time: [time], open: [close], high: [close], low: [close], close: [close], volume: [1] });
  });
  return {
    bars, market: "stocks", step: 60, digits: 1, tick: 0.1, price: closes.at(-1), reference: NaN, limits: [],
    lines: [], trials: [], changes: [], ahead: null, left: "", ...more,
  };
}

function drawn(data, view = new View()) {
  const context = recorder();
  const g = geometry(data, view, WIDTH, HEIGHT, (text) => 6 * text.length);
  drawBase(context, g, data);
  const tags = drawLive(context, g, data, data.lines);
  return { context, g, tags, said: context.texts.map(({ text }) => text) };
}

const line = (price, name) => ({ price, name, color: "accent", dash: [] });
const overlap = (a, b) => Math.abs(a.y - b.y) < a.height && a.x < b.x + b.width && b.x < a.x + a.width;
const flat = Array.from({ length: 60 }, (_, i) => 100 + (i % 5));

test("tags never lie on each other: the last price wins, then the line that is told first", () => {
  const lines = [line(103.9, "Alarm"), line(104.1, "Reference"), line(102, "Second")];
  const { context, said, tags } = drawn(shown(flat, { lines, price: 104 }));
  const { boxes } = context;
  assert.equal(boxes.length, 2);
  assert.ok(!overlap(...boxes));
  assert.deepEqual(said.filter((text) => ["Alarm", "Reference", "Second"].includes(text)), ["Second"]);
  assert.deepEqual(tags.lines.map(({ name }) => name), ["Second"]);
});

test("the crosshair's tag gives way to the last price, at the edges, too", () => {
  for (const price of [104, 100]) {
    const data = shown(flat, { price });
    const { g, tags } = drawn(data);
    for (const off of [-6, 0, 6]) {
      const context = recorder();
      drawPointer(context, g, data, { i: 3, y: g.y(price) + off, time: "", tags });
      const [tag] = context.boxes;
      assert.ok(tag.y >= tags.last[1] - 1e-9 || tag.y + tag.height <= tags.last[0] + 1e-9);
      assert.ok(tag.y >= 0 && tag.y + tag.height <= g.bottom + 1e-9);
    }
  }
});

test("what is ahead has room of its own beyond the newest bar", () => {
  const view = new View();
  view.room = 100;
  for (const kind of ["veil", "next"]) {
    const { context, g } = drawn(shown(flat, { ahead: { kind, texts: ["one", "ahead"] } }), view);
    const newest = g.x(59);
    assert.ok(g.right - newest > 90);
    const told = context.texts.filter(({ text }) => /ahead/.test(text));
    assert.equal(told.length, 1);
    assert.ok(told[0].x > newest);
  }
  view.pan(-200, shown(flat).bars, WIDTH - 56); // the newest bar is out of view
  assert.ok(!drawn(shown(flat, { ahead: { kind: "next", texts: ["one", "ahead"] } }), view).said.includes("ahead"));
});

test("where a continuous code became another contract there is a mark, of longer bars, too", () => {
  const changes = [{ time: OPEN + 600, code: "TXFA7" }];
  assert.ok(drawn(shown(flat, { changes })).said.includes("→ TXFA7"));
  const { g, context } = drawn(shown(flat, { changes: [{ time: OPEN + 630, code: "TXFA7" }] }));
  const { x } = context.texts.find(({ text }) => text === "→ TXFA7");
  assert.equal(x, g.left(10) + 5);
  assert.ok(!drawn(shown(flat, { changes: [{ time: OPEN - 600, code: "TXFA7" }] })).said.includes("→ TXFA7"));
});

test("a session begins with its first trade, and trials before it are a band of their own", () => {
  const data = shown([NaN, NaN, NaN, ...flat], { early: 3 });
  assert.deepEqual(trialBands(data, 0, 62), [[0, 3]]);
  const { said } = drawn(data);
  assert.ok(said.includes("Trial"));
  assert.deepEqual(times(data, 0, 62, 7).filter(({ isStart }) => isStart).map(({ i }) => i), [3]);
});

test("a line is met near its price, the chosen one first, and the next one is above or below it", () => {
  const handles = new Handles();
  const lines = [{ id: 1, price: 10 }, { id: 2, price: 12 }, { price: 11 }];
  const g = { y: (price) => 10 * price };
  const met = (y, pointer) => Handles.meet(handles.dress(lines), g, y, pointer)?.id;
  assert.deepEqual([met(101, "mouse"), met(110, "mouse"), met(110, "touch")], [1, undefined, 1]);
  handles.choose(2);
  assert.equal(met(110, "touch"), 2);
  assert.equal(Handles.next(handles.dress(lines), -1).id, 1);
  assert.equal(Handles.next(handles.dress(lines), 1).id, 2);
  handles.drag(14);
  assert.deepEqual(handles.dress(lines).map(({ price }) => price), [10, 14, 11]);
  handles.choose(null);
  assert.deepEqual(handles.dress(lines), lines);
  assert.equal(Handles.next(lines, 1).id, 1);
});

test("no two labels of the axis read the same, however small or large prices are", () => {
  const cases = [
    [23_001, 23_006, 1, 0], [-33.9, -33.1, 0.1, 1], [0.0100, 0.0104, 0.0001, 4], [0.01, 0.06, 0.01, 2],
    [123_456, 123_457, 1, 0], [1_234_567.25, 1_234_569.5, 0.25, 2],
  ];
  for (const [from, to, tick, least] of cases) {
    const { prices, digits } = roundPrices(from, to, 6, tick, least);
    const labels = prices.map((price) => price.toFixed(digits));
    assert.equal(new Set(labels).size, labels.length, labels.join());
    assert.ok(digits >= least && labels.length > 1, labels.join());
  }
});
