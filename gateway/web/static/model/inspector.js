/**
 * The last payloads of each event name.  Everything from outside is bounded.  Knows no document.
 *
 * All events of all feeds come here, and few are looked at: what comes is kept as text, and read when it is shown.
 */

const MOST_NAMES = 200;
const MOST_PAYLOADS = 20; // of one name
const MOST_TEXT = 65_536; // characters that are kept of one payload

/** One event. */
class Payload {
  #values;

  constructor(text, at) {
    this.at = at;
    this.size = text.length;
    // A part of a text holds all of it in memory, until it is joined to something.
    this.text = this.isWhole ? text : ` ${text.slice(0, MOST_TEXT)}`.slice(1);
  }

  /** Whether all of its text is kept. */
  get isWhole() {
    return this.size <= MOST_TEXT;
  }

  /** Its arguments; undefined: it is too long to be read. */
  get values() {
    if (this.isWhole) this.#values ??= JSON.parse(this.text).slice(1);
    return this.#values;
  }
}

/** What came under one name. */
class Channel {
  at = 0; // milliseconds since 1970 of the last one
  payloads = []; // oldest first

  constructor(name) {
    this.name = name;
  }

  add(text, at) {
    this.at = at;
    this.payloads.push(new Payload(text, at));
    if (this.payloads.length > MOST_PAYLOADS) this.payloads.shift();
  }
}

export class Inspector {
  channels = new Map();
  left = 0; // events whose names had no place
  #isPaused = false;

  /** Take one event: the JSON text of its name and its arguments. */
  add(text, at) {
    if (this.#isPaused) return;
    const name = nameOf(text);
    let channel = this.channels.get(name);
    if (!channel) {
      if (this.channels.size >= MOST_NAMES) {
        this.left += 1;
        return;
      }
      const own = ` ${name}`.slice(1); // or it would hold all of this event, see Payload
      channel = new Channel(own);
      this.channels.set(own, channel);
    }
    channel.add(text, at);
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
    if (!last) return false;
    return (last.values ? JSON.stringify(last.values) : last.text).toLowerCase().includes(wanted);
  }

  /** Forget everything. */
  clear() {
    this.channels.clear();
    this.left = 0;
  }
}

/** The first text of an array; only where it has escapes, or stands behind blanks, the others are read, too. */
function nameOf(text) {
  const quoted = text.startsWith('["') ? text.slice(2, text.indexOf('"', 2)) : "\\";
  return quoted.includes("\\") ? String(JSON.parse(text)[0]) : quoted;
}
