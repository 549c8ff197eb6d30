"""Engine.IO 3 and 4 without I/O: bytes and deadlines go in, events and bytes come out.

A library that can be used alone: it imports nothing of the gateway.  `socketio`, `relay`,
`market`, `web`, `ops`, `app` and `cli` import it.  Source: Engine.IO protocol, revisions 3 and 4.

In reading order:

- `settings`: what can be set.
- `interfaces`: what a session needs: the application above it, the transport's sink below.
- `errors`: what can be wrong with a request, and with what a client sends.
- `deadlines`: timers without a reactor: a heap that the caller's clock drives.
- `ids`: names that nobody can guess.
- `server`: all sessions of one endpoint; takes requests and WebSockets.
- `handshake`: the query of a request, and the packet that opens a session.
- `session`: one client, over the transport that it has at the moment.
- `heartbeat`: pings, and how long a client may be silent.
- `packet`: packets as they stand on a WebSocket; `Record` is what is sent as one.
- `payload`: several packets in one HTTP body.
- `forms`: from records to the bytes of one write, for each transport and revision.
- `outbox`: what a session has to send, in order, and the sink that takes it.
- `polling`: HTTP long-polling.
- `upload`: the body of a POST, received in slices.
- `websocket`: one WebSocket.
- `probe`: a WebSocket that is to become a polling session's transport.
- `meter`: what one client costs, and how long it has to pause.
"""
