/** Bars: what the gateway keeps and what comes live are one. */

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Bars } from "../../../gateway/web/static/model/bars.js";
import { History } from "../../../gateway/web/static/model/history.js";

const NINE = 1_800_061_200; // on a minute
const none = { time: [], open: [], high: [], low: [], close: [], volume: [] };

/** Bars of `[time, volume]`, all at one price. */
function columns(...bars) {
  const price = bars.map(() => 100);
  return { ...none, time: bars.map(([time]) => time), open: price, high: price, low: price, close: price,
    volume: bars.map(([, volume]) => volume) };
}

class World {
  questions = [];
  constructor(interval) {
    const ask = () => new Promise((answer) => this.questions.push(answer));
    this.history = new History(ask, { code: "2330", market: "other", interval, session: "" }, () => {});
    this.history.open();
  }

  trade(time, size = 1) {
    this.history.trade({ time, price: 100, size });
  }

  async answer(bars, newest, more = {}) {
    this.questions.shift()({ bars, newest, cut: false, ...more });
    await new Promise((done) => { setImmediate(done); });
  }

  get volumes() {
    const { bars } = this.history;
    return [...bars.volume.subarray(0, bars.length)];
  }
}

test("a bar that begins while the answer is under way has its trades once", async () => {
  const world = new World("1m");
  world.trade(NINE + 59, 3);
  world.trade(NINE + 60, 2); // the next minute, of which the answer knows nothing
  await world.answer(columns([NINE, 10]), NINE + 58);
  assert.deepEqual(world.volumes, [13, 2]);
});

test("bars of a second are confirmed, too, although another one closes each second", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const world = new World("1s");
    await world.answer(columns([NINE, 1]), NINE);
    for (let second = 1; second <= 25; second++) {
      world.trade(NINE + second);
      mock.timers.tick(1000);
    }
    assert.equal(world.questions.length, 1);
    await world.answer(columns([NINE, 1], [NINE + 1, 4]), NINE + 25);
    assert.deepEqual(world.volumes.slice(0, 3), [1, 4, 1]);
  } finally {
    mock.timers.reset();
  }
});

test("a contract that follows another one is told once, whichever answer has it", async () => {
  const world = new World("1m");
  const contracts = [{ from: NINE, code: "TXFL6" }, { from: NINE + 60, code: "TXFA7" }];
  await world.answer(columns([NINE, 1], [NINE + 60, 1]), NINE + 60, { contracts, cut: true });
  assert.deepEqual(world.history.changes, [{ time: NINE + 60, code: "TXFA7" }]);
  world.history.earlier();
  await world.answer(columns([NINE - 60, 1]), null, { contracts: [{ from: NINE - 60, code: "TXFL6" }] });
  assert.deepEqual(world.history.changes, [{ time: NINE + 60, code: "TXFA7" }]);
  world.history.open();
  await world.answer(columns([NINE + 120, 1]), null, { contracts: [{ from: NINE + 120, code: "TXFB7" }] });
  assert.deepEqual(world.history.changes.map(({ code }) => code), ["TXFA7", "TXFB7"]);
});

test("bars that are told again take their places, and those before them stay where they are", () => {
  const bars = new Bars();
  bars.merge(columns([60, 1], [120, 2], [180, 3], [240, 4]));
  const { time } = bars;
  bars.merge(columns([180, 7], [200, 8], [240, 9]), 240);
  assert.deepEqual([...bars.time.slice(0, bars.length)], [60, 120, 180, 200, 240]);
  assert.deepEqual([...bars.volume.slice(0, bars.length)], [1, 2, 7, 8, 4]);
  assert.equal(bars.time, time);
  bars.merge(columns([30, 5], [60, 6]));
  assert.deepEqual([...bars.volume.slice(0, bars.length)], [5, 6, 2, 7, 8, 4]);
  const many = Array.from({ length: 700 }, (_, i) => [300 + i, i]);
  bars.merge(columns(...many));
  assert.equal(bars.length, 706);
  assert.deepEqual([...bars.volume.slice(0, 7)], [5, 6, 2, 7, 8, 4, 0]);
  assert.equal(bars.last, 999);
});
