/**
 * A Socket.IO client for one namespace that only listens.
 *
 * Socket.IO protocol 5 over Engine.IO protocol 4, WebSocket from the start.  Each text
 * message is one packet: a digit for Engine.IO's type, then, in messages, one for Socket.IO's.
 */

const OPEN = "0", CLOSE = "1", PING = "2", PONG = "3", MESSAGE = "4";
const CONNECT = "0", DISCONNECT = "1", EVENT = "2", CONNECT_ERROR = "4", BINARY_EVENT = "5";

const FIRST_DELAY = 500, LONGEST_DELAY = 10_000; // milliseconds between attempts
const HANDSHAKE = 10_000; // milliseconds in which a connection must come to something

export class Socket {
  #url;
  #auth;
  #on;
  #socket = null;
  #silence = 0; // milliseconds after which the other side is taken for gone
  #watch;
  #retry;
  #delay = FIRST_DELAY;

  /**
   * `auth()` makes what CONNECT carries; `on` hears:
   * - `connected()`
   * - `event(text)`: the JSON of an event, an array of its name and arguments; an attachment is told by
   *   its placeholder
   * - `refused()`: the gateway does not let us in
   * - `lost()`: the connection is gone, or there was none; either way it is tried again
   */
  constructor(url, auth, on) {
    this.#url = url;
    this.#auth = auth;
    this.#on = on;
  }

  /** Connect, or connect anew, now. */
  reconnect() {
    clearTimeout(this.#retry);
    this.#forget();
    const socket = new WebSocket(this.#url);
    socket.onmessage = ({ data }) => this.#packet(data);
    socket.onclose = () => this.#lost();
    this.#socket = socket;
    this.#silence = HANDSHAKE;
    this.#alive();
  }

  /** Listen no more, until `reconnect`. */
  close() {
    clearTimeout(this.#retry);
    this.#forget();
  }

  /** Do not wait any longer for the next attempt, if that is what we do. */
  hurry() {
    if (!this.#socket) this.reconnect();
  }

  #packet(data) {
    if (typeof data !== "string") return; // an attachment; nothing here has any
    switch (data[0]) {
      case MESSAGE:
        this.#message(data);
        break;
      case PING:
        this.#alive();
        this.#socket.send(PONG);
        break;
      case OPEN:
        this.#opened(JSON.parse(data.slice(1)));
        break;
      case CLOSE:
        this.#lost();
    }
  }

  #opened({ pingInterval, pingTimeout }) {
    this.#silence = pingInterval + pingTimeout;
    this.#alive();
    this.#socket.send(MESSAGE + CONNECT + JSON.stringify(this.#auth()));
  }

  #message(data) {
    switch (data[1]) {
      case EVENT:
      case BINARY_EVENT:
        // The array begins after the id of an acknowledgment, which we leave to others.
        this.#on.event(data.slice(data.indexOf("[")));
        break;
      case CONNECT:
        this.#delay = FIRST_DELAY;
        this.#on.connected();
        break;
      case CONNECT_ERROR:
        this.#forget();
        this.#retry = setTimeout(() => this.reconnect(), LONGEST_DELAY);
        this.#on.refused();
        break;
      case DISCONNECT:
        this.#lost();
    }
  }

  #alive() {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#lost(), this.#silence);
  }

  #lost() {
    this.#forget();
    // Up to a third more, so that the pages of a gateway that comes back don't all come at once.
    const delay = this.#delay * (1 + Math.random() / 3);
    this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY);
    this.#retry = setTimeout(() => this.reconnect(), delay);
    this.#on.lost();
  }

  #forget() {
    clearTimeout(this.#watch);
    if (!this.#socket) return;
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }
}
