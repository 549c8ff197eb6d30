"""HTTP and WebSocket: everything that touches a request or a socket.

- `private`: what the code uses of Twisted and Autobahn that their authors do not promise to
  keep.
- `http/`: tODO: the map of this folder.
- `routes/`: tODO: the map of this folder.
- `security/`: tODO: the map of this folder.
- `websocket/`: tODO: the map of this folder.
"""
