/** What stands below the bars: round times, and where a session begins. */

import { dayOf, hm, hms, local, monthDay } from "../model/clock.js";
import { accountDay, isNight, session } from "../model/sessions.js";

const DAY = 86_400;
const SPANS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800];
const APART = 66; // pixels from one label to the next

/**
 * The labels of the bars from `first` to `last`: `[{i, text, isStart}]`, `pitch` pixels a bar.
 * Time runs by bars, so a label stands where its bar is; the beginning of a session wins.
 */
export function times({ bars, market, step }, first, last, pitch) {
  const day = (at) => monthDay(accountDay(market, at));
  const { time } = bars;
  const starts = [], rounds = [];
  const wanted = (step * APART) / pitch;
  const span = SPANS.find((each) => each >= wanted && each >= step);
  for (let i = Math.max(1, first); i <= last; i++) {
    const [before, at] = [time[i - 1], time[i]];
    if (isStart(market, step, before, at)) {
      starts.push({ i, text: day(at), isStart: true });
    } else if (step >= DAY) {
      rounds.push({ i, text: day(at), isStart: false });
    } else if (span && Math.floor(local(before) / span) !== Math.floor(local(at) / span)) {
      rounds.push({ i, text: step < 60 && span < 60 ? hms(at) : hm(at), isStart: false });
    }
  }
  return thin([...starts, ...rounds], pitch).sort((a, b) => a.i - b.i);
}

/** Whether another session begins with the bar at `at`, trials before it left out; of days, another month. */
function isStart(market, step, before, at) {
  if (step >= DAY) return month(accountDay(market, before)) !== month(accountDay(market, at));
  const found = session(market, at);
  return found ? before < found.open && at >= found.open : dayOf(before) !== dayOf(at);
}

/** The nights of the bars from `first` to `last`, as `[from, to]` places. */
export function nights({ bars, market, step }, first, last) {
  return step < DAY ? bands(first, last, (i) => isNight(market, bars.time[i])) : [];
}

/** The places in which nothing was traded, only tried. */
export const trialBands = ({ bars }, first, last) => bands(first, last, (i) => Number.isNaN(bars.close[i]));

/** Where bars are of a kind, without a gap: `[from, to]` places, the last one left out. */
function bands(first, last, is) {
  const found = [];
  let begin = -1;
  for (let i = first; i <= last + 1; i++) {
    const isOne = i <= last && is(i);
    if (isOne && begin < 0) begin = i;
    if (isOne || begin < 0) continue;
    found.push([begin, i]);
    begin = -1;
  }
  return found;
}

const month = (at) => monthDay(at).slice(0, 2);

/** Those that do not touch one before them in the list. */
function thin(labels, pitch) {
  const kept = [];
  for (const each of labels) {
    if (kept.every(({ i }) => Math.abs(i - each.i) * pitch >= APART)) kept.push(each);
  }
  return kept;
}
