"""WebSocket connections of Engine.IO.

- `upgrade`: an HTTP request becomes a WebSocket.
- `connection`: one connection: bytes in, messages to a channel, writes out.
- `frames`: the common frames, cut straight from the receive buffer.
- `odd_frames`: brings in Autobahn for all other frames, when the first one comes.
- `fallback`: Autobahn reads them.
- `deflate`: permessage-deflate, once for all who get the same message.
- `closing`: the closing handshake that we begin.
- `allowance`: how large messages may be, and how fast a client is read; also of polling clients.

`web/routes` and `app` import these modules.
"""
