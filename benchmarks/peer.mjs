// A relay on Node.js and socket.io, to compare with: what one client says, all others hear.
// usage: node peer.mjs PORT [deflate] [eio3] [recovery]
import { createRequire } from 'node:module';

const [port, ...features] = process.argv.slice(2);
const { Server } = createRequire(`${process.env.MODULES}/`)('socket.io');
const io = new Server(Number(port), {
  allowEIO3: features.includes('eio3'),
  perMessageDeflate: features.includes('deflate') && { threshold: 256 },
  ...(features.includes('recovery') && { connectionStateRecovery: {} }),
});
io.on('connection', (socket) => {
  socket.onAny((name, ...values) => socket.broadcast.emit(name, ...values));
});
