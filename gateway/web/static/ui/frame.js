/**
 * Work for the next animation frame: however often it is asked for, it is done once.
 *
 * What draws is done before what writes: for a text on a canvas a browser lays out all that was
 * written before, and does it again for what is written after.
 *
 * Browsers draw no frame of a page that nobody sees, but its title is seen all the same: then the
 * work is done about once a second.
 */

const UNSEEN = 1000; // milliseconds
const BUDGET = 4; // milliseconds of a frame for what can be done in parts

const drawing = new Set(), writing = new Set();
const parts = []; // of what is done in several frames

function run() {
  const jobs = [...drawing, ...writing];
  drawing.clear();
  writing.clear();
  for (const job of jobs) {
    try {
      job();
    } catch (error) {
      reportError(error); // and do the others
    }
  }
}

/** Call `job`, which draws on a canvas, in the next frame. */
export const drawInNextFrame = (job) => add(drawing, job);

/** Call `job` in the next frame. */
export const inNextFrame = (job) => add(writing, job);

/** Do `jobs` in their order, after those of before: as many in a frame as there is time for. */
export function inTurn(jobs) {
  parts.push(...jobs);
  inNextFrame(doSome);
}

function doSome() {
  const until = performance.now() + BUDGET;
  try {
    do {
      parts.shift()?.();
      document.body.getBoundingClientRect(); // what it wrote is laid out now, so that its time counts
    } while (parts.length && performance.now() < until);
  } finally {
    if (parts.length) inNextFrame(doSome);
  }
}

/** A function that asks for `job` in a frame, so many milliseconds after it was called first. */
export function seldom(job, milliseconds) {
  let isWaiting = false;
  return () => {
    if (isWaiting) return;
    isWaiting = true;
    setTimeout(() => {
      isWaiting = false;
      inNextFrame(job);
    }, milliseconds);
  };
}

function add(jobs, job) {
  if (!isWaiting()) plan();
  jobs.add(job);
}

const isWaiting = () => drawing.size + writing.size > 0;

function plan() {
  if (document.hidden) setTimeout(run, UNSEEN);
  else requestAnimationFrame(run);
}

// What was planned before may never come.
document.addEventListener("visibilitychange", () => { if (isWaiting()) plan(); });
