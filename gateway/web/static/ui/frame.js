/** Work for the next animation frame: however often it is asked for, it is done once. */

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
  if (!waiting.size) requestAnimationFrame(run);
  waiting.add(job);
}
