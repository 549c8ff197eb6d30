/**
 * Alarms: rules of this browser, and which of them have come true.  Knows no document.
 *
 * A rule is `{id, kind, code, value, each, isOn}`.  `kind` says what is waited for, `value` is a
 * price, a percentage, a size or seconds, `each` lets it fire again: not within a minute, and only
 * after it was back by a thousandth.  Judged are trades as they are told: trusted, real, and of
 * now.
 */

const AGAIN = 60_000; // milliseconds between two alarms of one rule
const BACK = 0.001; // by which a price must have been back
const FRESH = 10; // seconds: an older trade is no news
const MOST = 100; // rules
const MOST_TEXT = 100; // characters of a code

/** What can be waited for; `needs`: a code, a value; `isLine`: that the price crosses the value. */
export const KINDS = {
  above: { needs: ["code", "value"], isLine: true },
  below: { needs: ["code", "value"], isLine: true },
  rise: { needs: ["code", "value"], judge: ({ percent }, { value }) => percent >= value },
  fall: { needs: ["code", "value"], judge: ({ percent }, { value }) => percent <= -value },
  size: { needs: ["code", "value"], judge: ({ size }, { value }) => size >= value, isEvent: true },
  volume: { needs: ["code", "value"], judge: ({ volume }, { value }) => volume >= value },
  limit: { needs: ["code"], judge: ({ limit }) => limit !== 0 },
  trial: { needs: ["code", "value"], isLine: true, isTrial: true },
  silence: { needs: ["code", "value"] },
  worker: { needs: [] },
  feed: { needs: [] },
  gateway: { needs: [] },
};

export class Alarms {
  rules = [];
  #states = new Map(); // id -> {isTrue, at: of the last alarm, price: of the trade before}
  #fired;
  #now;
  #next = 1;

  /** `fired(rule, facts)` hears of each that comes true; `now()` is in milliseconds since 1970. */
  constructor(fired, now = Date.now) {
    this.#fired = fired;
    this.#now = now;
  }

  /** Take rules that were kept as JSON; what makes no sense is left out. */
  load(text) {
    let kept;
    try {
      kept = JSON.parse(text);
    } catch {
      kept = [];
    }
    this.rules = (Array.isArray(kept) ? kept : []).filter(isRule).slice(0, MOST).map((rule) => ({
      id: this.#next++,
      kind: rule.kind,
      code: rule.code ?? "",
      value: rule.value ?? null,
      each: rule.each === true,
      isOn: rule.isOn !== false,
    }));
    this.#states.clear();
  }

  /** The rules as JSON, to be kept. */
  text() {
    return JSON.stringify(this.rules.map(({ kind, code, value, each, isOn }) => (
      { kind, code, value, each, isOn })));
  }

  /** A new rule; null where there is no room for it, or where it makes no sense. */
  add(rule) {
    if (this.rules.length >= MOST || !isRule(rule)) return null;
    const added = { code: "", value: null, each: false, isOn: true, ...rule, id: this.#next++ };
    this.rules.push(added);
    return added;
  }

  remove(id) {
    this.rules = this.rules.filter((rule) => rule.id !== id);
    this.#states.delete(id);
  }

  /** Change a rule; it is judged anew. */
  change(id, change) {
    const rule = this.rules.find((each) => each.id === id);
    if (!rule || !isRule({ ...rule, ...change })) return;
    Object.assign(rule, change);
    this.#states.delete(id);
  }

  /**
   * A trade of a code: `{time, price, size, isTrial, percent, volume, limit}`, where `time` is in
   * seconds since 1970.
   */
  trade(code, trade) {
    if (this.#now() / 1000 - trade.time > FRESH) return;
    for (const rule of this.rules) {
      if (rule.code !== code || !rule.isOn) continue;
      const { isTrial = false, isLine, judge, isEvent = false } = KINDS[rule.kind];
      if (isTrial !== (trade.isTrial ?? false)) continue;
      if (isLine) this.#cross(rule, trade);
      else if (judge) this.#judge(rule, judge(trade, rule), trade, isEvent);
    }
  }

  /** Look at what is true without a trade: `silent(code)` are seconds without one, or null. */
  look(silent) {
    for (const rule of this.rules) {
      if (rule.kind !== "silence" || !rule.isOn) continue;
      const seconds = silent(rule.code);
      if (seconds !== null) this.#judge(rule, seconds >= rule.value, { seconds }, false);
    }
  }

  /** Trouble of the `kind` worker, feed or gateway is there, or not. */
  trouble(kind, isThere) {
    for (const rule of this.rules) {
      if (rule.kind === kind && rule.isOn) this.#judge(rule, isThere, {}, false);
    }
  }

  /** A price crosses the line when it was on the other side before, or was back since. */
  #cross(rule, trade) {
    const { price } = trade;
    const state = this.#states.get(rule.id);
    const isUp = rule.kind === "above" || (rule.kind === "trial" && isAbove(state, rule, price));
    const isTrue = isUp ? price >= rule.value : price <= rule.value;
    if (!state) { // the first one says on which side we are
      this.#states.set(rule.id, { isTrue, at: 0, isUp });
      return;
    }
    const distance = Math.abs(rule.value) * BACK;
    const isBack = isUp ? price < rule.value - distance : price > rule.value + distance;
    if (isTrue && !state.isTrue) this.#fire(rule, state, trade);
    else if (state.isTrue && !isTrue && (isBack || !state.at)) state.isTrue = false;
  }

  #judge(rule, isTrue, facts, isEvent) {
    let state = this.#states.get(rule.id);
    if (!state) {
      state = { isTrue: false, at: 0 };
      this.#states.set(rule.id, state);
      // What was so before anybody looked is no news; one large trade is.
      if (!isEvent) {
        state.isTrue = isTrue;
        return;
      }
    }
    if (isTrue && (isEvent || !state.isTrue)) this.#fire(rule, state, facts);
    else if (!isTrue) state.isTrue = false;
  }

  #fire(rule, state, facts) {
    state.isTrue = true;
    const now = this.#now();
    if (state.at && now - state.at < AGAIN) return;
    state.at = now;
    if (!rule.each) rule.isOn = false;
    this.#fired(rule, facts);
  }
}

/** Whether the price of a trial match comes from below. */
function isAbove(state, rule, price) {
  return state ? state.isUp : price < rule.value;
}

function isRule(rule) {
  if (typeof rule !== "object" || rule === null || !Object.hasOwn(KINDS, rule.kind)) return false;
  const { needs } = KINDS[rule.kind];
  const hasCode = typeof rule.code === "string" && rule.code && rule.code.length <= MOST_TEXT;
  return (!needs.includes("code") || hasCode)
    && (!needs.includes("value") || Number.isFinite(rule.value));
}
