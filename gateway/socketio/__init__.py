"""Socket.IO 4 and 5 over any Engine.IO session, without I/O.

A library that can be used alone: it imports `engineio` only.  `relay`, `app` and `cli` import it.
Source: Socket.IO protocol, revisions 4 and 5.

In reading order:

- `server`: the application of an Engine.IO server: makes a client for each session.
- `client`: the namespaces behind one Engine.IO session.
- `namespace`: what a namespace is asked to do for its clients: the interface.
- `socket`: one client in one namespace.
- `packet`: packets, and how they are decoded.
- `strict`: JSON that may be handed on: checked, repaired where the rules say so, never encoded
  again.
- `attachments`: binary attachments: collected on arrival, and put in their places.
- `encode`: what a server sends, as records of Engine.IO packets.
- `handlers`: a namespace made of handlers, for users of the library.
- `outcome`: the result of a handler: at once, later, or an error.
- `errors`: what goes wrong in this layer.
"""
