/**
 * Work for the next animation frame: however often it is asked for, it is done once.
 *
 * Browsers draw no frame of a page that nobody sees, but its title is seen all the same: then the
 * work is done about once a second.
 */

const UNSEEN = 1000; // milliseconds

const waiting = new Set();

function run() {
  const jobs = [...waiting];
  waiting.clear();
  for (const job of jobs) {
    try {
      job();
    } catch (error) {
      reportError(error); // and do the others
    }
  }
}

/** Call `job` in the next frame. */
export function inNextFrame(job) {
  if (!waiting.size) plan();
  waiting.add(job);
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

function plan() {
  if (document.hidden) setTimeout(run, UNSEEN);
  else requestAnimationFrame(run);
}

// What was planned before may never come.
document.addEventListener("visibilitychange", () => { if (waiting.size) plan(); });
