// Many stock socket.io-clients in one process, which count what they hear.
// Its arguments: the URL, and a list of clients as JSON: [{name, transports, auth}].
// Told by lines of JSON: ["mark"] begins to measure silence, ["report"] tells of each client.
// The events have a `seq`, which grows by one.  `course` is what happened in the longest silence:
// [what, seconds since 1970].
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const require = createRequire(process.env.NODE_PATH + "/");
const { io } = require("socket.io-client");
const [url, plan] = process.argv.slice(2);
const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");

class Client {
  constructor({ name, transports, auth }) {
    // `ranges`: [first, last] of what came in a row; `doubled`: what was heard before.
    const counts = { ranges: [], doubled: 0, silence: 0, connects: 0, recovered: 0 };
    Object.assign(this, { name, ...counts, refused: [], steps: [], course: [] });
    this.last = performance.now();
    this.whole = new Promise((resolve) => {
      const socket = io(url, { auth, transports, forceNew: true });
      socket.on("connect", () => {
        this.connects += 1;
        this.recovered += socket.recovered ? 1 : 0;
        const engine = socket.io.engine;
        if (transports.length === 1 || engine.transport.name === "websocket") resolve();
        else engine.once("upgrade", resolve);
      });
      socket.on("connect_error", (error) => this.refused.push(error.message));
      socket.on("connect_error", () => this.step("refused"));
      socket.on("disconnect", (reason) => this.step(reason));
      socket.io.on("reconnect_attempt", () => this.step("try"));
      socket.io.on("open", () => this.step("open"));
      socket.on("connect", () => this.step("connect"));
      socket.on("tick", ({ seq }) => this.heard(seq));
    });
  }

  step(what) {
    this.steps.push([what, Date.now() / 1000]);
  }

  quiet() {
    const now = performance.now();
    if (now - this.last > this.silence) {
      this.silence = now - this.last;
      this.course = this.steps;
    }
    return now;
  }

  heard(seq) {
    this.last = this.quiet();
    if (this.steps.length) this.steps = [];
    const range = this.ranges.at(-1);
    if (range && seq === range[1] + 1) range[1] = seq;
    else if (this.ranges.some(([first, last]) => first <= seq && seq <= last)) this.doubled += 1;
    else this.ranges.push([seq, seq]);
  }

  mark() {
    this.last = performance.now();
    this.silence = 0;
    this.steps = [];
  }

  report() {
    this.quiet(); // the silence that goes on
    const { name, ranges, doubled, connects, recovered, refused, course } = this;
    const silence = this.silence / 1000;
    return { name, ranges, doubled, silence, connects, recovered, refused, course };
  }
}

const clients = JSON.parse(plan).map((each) => new Client(each));
Promise.all(clients.map((client) => client.whole)).then(() => say({ connected: clients.length }));
const commands = {
  mark: () => clients.forEach((client) => client.mark()),
  report: () => say({ report: clients.map((client) => client.report()) }),
};
createInterface({ input: process.stdin })
  .on("line", (line) => commands[JSON.parse(line)[0]]())
  .on("close", () => process.exit(0));
