"""HTTP and WebSocket: everything that touches a request or a socket."""
