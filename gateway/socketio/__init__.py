"""Socket.IO 4 and 5 over any Engine.IO session, sans-IO.

- `attachments`: binary attachments: put together on arrival, and put in place.
- `client`: one peer: the namespaces behind one Engine.IO session.
- `encode`: what a server sends, as records of Engine.IO packets.
- `errors`: what goes wrong in this layer.
- `handlers`: a namespace made of handlers, for users of the library.
- `namespace`: what a namespace is to its clients.
- `outcome`: what a handler comes to: at once, later, or by an error.
- `packet`: socket.IO packets and their decoding.
- `server`: the Socket.IO server: an Engine.IO application.
- `socket`: one client in one namespace.
- `strict`: jSON that may be handed on: checked, repaired where the rules say so, never re-
  encoded.
"""
