"""Engine.IO 3 and 4, sans-IO: bytes and deadlines in, events and bytes out.

- `deadlines`: deadlines without a reactor: a heap that somebody else's clock drives.
- `errors`: what can be wrong with a request, and with what a client says.
- `forms`: forms: pure functions from records to the bytes of one write.
- `handshake`: the query of a request, and the packet that opens a session.
- `heartbeat`: heartbeat: who may be silent for how long.
- `interfaces`: what a session has above it, and below.
- `meter`: what one client costs, and how fast it may go on.
- `outbox`: what a session has to say, in order, and who takes it.
- `packet`: engine.IO packets as they stand on a WebSocket.
- `payload`: polling payloads: several packets in one HTTP body.
- `polling`: engine.IO over HTTP long-polling, sans-IO.
- `probe`: a WebSocket that wants to become a polling session's transport.
- `server`: all sessions of one Engine.IO endpoint.
- `session`: one client, over whichever transport it has at the moment.
- `settings`: settings of one Engine.IO server.
- `upload`: a POST's body, received in slices.
- `websocket`: engine.IO over one WebSocket, sans-IO.
"""
