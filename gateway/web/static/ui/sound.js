/** A short sound, made by an oscillator: no file is needed.  Browsers want a click first. */

const TONES = [880, 1175]; // hertz, one after the other
const LONG = 0.16; // seconds of a tone
const LOUD = 0.2;

let context = null;

/** Let sounds be heard from the first click or key on. */
export function unlock() {
  for (const woken of ["pointerdown", "keydown"]) {
    document.addEventListener(woken, () => open()?.resume(), { once: true });
  }
}

/** Whether a sound would be heard now. */
export const isHeard = () => context?.state === "running";

/** Two tones. */
export function ring() {
  const made = open();
  if (!made) return;
  for (const [index, hertz] of TONES.entries()) {
    const tone = made.createOscillator(), volume = made.createGain();
    const begin = made.currentTime + index * LONG;
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(LOUD, begin);
    volume.gain.exponentialRampToValueAtTime(0.001, begin + LONG);
    tone.connect(volume).connect(made.destination);
    tone.start(begin);
    tone.stop(begin + LONG);
  }
}

function open() {
  try {
    context ??= new AudioContext();
  } catch {
    context = null; // the browser has none, or no more
  }
  return context;
}
