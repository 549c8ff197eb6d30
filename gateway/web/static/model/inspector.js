/** The last payloads of each event name.  Everything from outside is bounded.  Knows no document. */

const MOST_NAMES = 200;
const MOST_PAYLOADS = 20; // of one name
const MOST_TEXT = 65_536; // characters that are kept of one payload

/** What came under one name. */
class Channel {
  at = 0; // milliseconds since 1970 of the last one
  payloads = []; // oldest first: {at, size, values, text}

  constructor(name) {
    this.name = name;
  }

  add(values, text, at) {
    this.at = at;
    const size = text.length;
    // What is too long to be shown is kept as the beginning of its text.
    const kept = size > MOST_TEXT ? { text: text.slice(0, MOST_TEXT) } : { values };
    this.payloads.push({ at, size, ...kept });
    if (this.payloads.length > MOST_PAYLOADS) this.payloads.shift();
  }
}

export class Inspector {
  channels = new Map();
  left = 0; // events whose names had no place
  #isPaused = false;

  /** Take one event: its name, all its arguments, and the JSON text of both. */
  add(name, values, text, at) {
    if (this.#isPaused) return;
    let channel = this.channels.get(name);
    if (!channel) {
      if (this.channels.size >= MOST_NAMES) {
        this.left += 1;
        return;
      }
      channel = new Channel(name);
      this.channels.set(name, channel);
    }
    channel.add(values, text, at);
  }

  /** While it is paused, what comes is not taken. */
  pause(yes) {
    this.#isPaused = yes;
  }

  get isPaused() {
    return this.#isPaused;
  }

  /** Those of `names`, and of the names that came, that `text` is in, or in their last payload. */
  matching(text, names) {
    const wanted = text.toLowerCase();
    return [...new Set([...names, ...this.channels.keys()])]
      .filter((name) => name.toLowerCase().includes(wanted) || this.#holds(name, wanted))
      .sort();
  }

  #holds(name, wanted) {
    const last = this.channels.get(name)?.payloads.at(-1);
    return last !== undefined && (last.text ?? JSON.stringify(last.values)).toLowerCase().includes(wanted);
  }

  /** Forget everything. */
  clear() {
    this.channels.clear();
    this.left = 0;
  }
}
