// A stock socket.io-client, driven by lines of JSON: see agents/__init__.py.
// Bytes travel as {"$bytes": base64}.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const require = createRequire(process.env.NODE_PATH + "/");
const [url, transports, version, auth] = process.argv.slice(2);
const found = require(version === "4" ? "socket.io-client" : `socket.io-client-v${version}`);
const { io } = version === "2" ? { io: found } : found;

const wrap = (value) =>
  value instanceof ArrayBuffer || ArrayBuffer.isView(value)
    ? { $bytes: Buffer.from(value.buffer ?? value, value.byteOffset, value.byteLength).toString("base64") }
    : Array.isArray(value)
      ? value.map(wrap)
      : value && typeof value === "object"
        ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, wrap(item)]))
        : value;
const unwrap = (value) =>
  value && typeof value === "object" && "$bytes" in value
    ? Buffer.from(value.$bytes, "base64")
    : Array.isArray(value)
      ? value.map(unwrap)
      : value && typeof value === "object"
        ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unwrap(item)]))
        : value;
const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");

const options = { auth: JSON.parse(auth), reconnectionDelay: 50, reconnectionDelayMax: 50 };
if (transports === "fetch") options.transports = [require("engine.io-client").Fetch];
else if (transports !== "default") options.transports = transports.split(",");
const socket = io(url, { ...options, forceNew: true });
const engine = () => socket.io.engine;
const heard = (name, args) => {
  if (typeof args.at(-1) === "function" && name === "ask") args.pop()(...answers);
  else say({ event: [name, ...args.filter((item) => typeof item !== "function").map(wrap)] });
};
let answers = [];
let stopped = false;
if (version === "2") {
  const plain = socket.onevent;
  socket.onevent = function (packet) {
    heard(packet.data[0], packet.data.slice(1));
    return plain.call(this, packet);
  };
} else socket.onAny((name, ...args) => heard(name, args));
socket.on("connect", () => {
  const told = () => say({ connected: socket.id, recovered: socket.recovered ?? false, transport: engine().transport.name });
  if (transports !== "default" || engine().transport.name === "websocket") told();
  else engine().once("upgrade", told);
});
socket.on("disconnect", (reason) => say({ disconnected: reason }));
socket.on("connect_error", (error) => say({ refused: error.message, data: error.data ?? null }));

const commands = {
  emit: (name, ...args) => socket.emit(name, ...args.map(unwrap)),
  ask: (...args) => socket.timeout(5000).emit("ask", ...args.map(unwrap), (error, ...answer) => say({ answer: error ? null : answer.map(wrap) })),
  answer: (...args) => (answers = args.map(unwrap)),
  stream: (count, rate, codes) => {
    let sent = 0;
    const start = Date.now();
    const timer = setInterval(() => {
      while (sent < count && sent <= ((Date.now() - start) * rate) / 1000)
        socket.emit("market_tick", { code: `C${sent % codes}`, seq: sent++ });
      if (sent === count || stopped) clearInterval(timer);
      if (stopped) say({ sent });
    }, 2);
  },
  stop: () => (stopped = true),
  drop: () => engine().close(),
  close: () => { socket.disconnect(); process.exit(0); },
};
createInterface({ input: process.stdin }).on("line", (line) => {
  const [command, ...args] = JSON.parse(line);
  commands[command](...args);
}).on("close", () => process.exit(0));
