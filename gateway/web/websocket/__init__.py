"""The modules of `gateway/web/websocket/`.

- `allowance`: how large the messages of a client may be, and how fast it is read.
- `connection`: one WebSocket connection of Engine.IO: bytes in, messages to a channel, writes
  out.
- `deflate`: permessage-deflate: each record compressed once, and shared by all who negotiated
  it.
- `fallback`: autobahn behind the fast path: whatever `frames.split` calls odd.
- `farewell`: the end of a WebSocket from our side: one close frame, and patience until it is
  answered.
- `frames`: the common WebSocket frames, straight from the receive buffer.
- `upgrade`: taking a connection over from twisted.web: HTTP request in, WebSocket out.
"""
