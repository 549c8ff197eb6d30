// Reads the feed in Node.js: the newest quote of each code first, then each tick.
// 在 Node.js 讀行情：先是每個商品的最新報價，之後是每一筆成交。
//
//   cd examples/node
//   npm install
//   node feed.mjs http://localhost:3001 TXFR1 2330
import { io } from "socket.io-client";

const [url = "http://localhost:3001", ...codes] = process.argv.slice(2);
const wanted = codes.length ? { codes } : {};
const events = ["market_tick", "python_status"];
const socket = io(url, { auth: { events, snapshot: true, ...wanted } });
let mark = "";

socket.on("connect", () => console.log(`connected to ${url}`));
socket.on("connect_error", (error) => console.error(`no connection: ${error.message}`));
socket.on("disconnect", (reason) => {
  console.error(`disconnected: ${reason}`);
  // After a word of the server the library does not come back by itself.
  if (reason === "io server disconnect") socket.connect();
});
// A demonstration, a replay and a rehearsal say so. 示範、重播、演練都有標記。
socket.on("python_status", ({ demo, replay, rehearsal }) => {
  mark = demo || replay || rehearsal ? " (not the market's)" : "";
});
socket.on("market_tick", ({ code, datetime, price, volume }) => {
  console.log(`${datetime} ${code} ${price} x ${volume}${mark}`);
});
