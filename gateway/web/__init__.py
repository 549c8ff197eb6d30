"""HTTP and WebSocket: everything that touches a request or a socket.

- `http/`: listening, HTTP/1.1 connections, requests, and the site behind the guard.
- `security/`: who may do what: the guard, hosts and origins, tokens, proxies.
- `websocket/`: WebSocket connections of Engine.IO.
- `routes/`: what each path answers.
- `private`: private names of Twisted, Autobahn and pyOpenSSL that the code uses, with reasons.

`app` imports these folders; `ops`, `tap` and `cli` import some modules of them.  Nothing here
imports the relay or the worker.  `static/` holds the files of the operator's page.
"""
