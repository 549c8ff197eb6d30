// The relay rule on a stock Socket.IO server: what ours is compared with.
import { createRequire } from "node:module";
import { createServer } from "node:http";

const require = createRequire(process.env.NODE_PATH + "/");
const { Server } = require("socket.io");
const server = createServer();
const io = new Server(server, { cors: { origin: "*" } });
io.on("connection", (socket) => socket.onAny((name, ...args) => socket.broadcast.emit(name, ...args)));
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
process.stdin.on("close", () => process.exit(0)).resume();
