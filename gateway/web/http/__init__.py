"""Listening, HTTP/1.1 connections, requests, and the site behind the guard.

- `site`: the factory of all connections; the guard judges each request, then its path answers.
- `request`: one request and its answer; reading queries and bodies.
- `channel`: one connection: the deadline of each phase, and writing.
- `strict_parsing`: what Twisted's parser accepts and we refuse.
- `known`: a request that comes again on its connection.
- `known_channel`: one connection on which such a request is not parsed again.
- `plain_headers`: the headers of a request that was read in one piece.
- `upgrade_request`: a request for a WebSocket, as long as nothing but its head is needed.
- `answers`: the bytes of answers.
- `writer`: writing to a socket with as few system calls as possible.
- `tls_writer`: the same for TLS, and which writer a transport gets.
- `tls_connection`: reading TLS, each read in one piece.
- `openssl`: OpenSSL's own functions for both.
- `limits`: sizes, the time for each phase, and turns for pipelined requests.
- `counting`: how many connections there may be, in total and of one client.
- `timer`: one reactor timer for all deadlines of Engine.IO.
- `gzip`: compression of answers, once for all who get the same bytes.
- `audit`: one log line for every control action.
- `listen`: the open ports.
- `listen_plan`: where to listen, by the options.
- `early`: ports that are open before the gateway is there.
- `held`: what the program before this one tells of them.
- `backlog`: who waits at a port that stayed open.
- `endpoints`: Twisted's endpoints of those places.
- `inherited`: listening sockets that stay open when the program is replaced.
- `proxy_protocol`: the PROXY protocol of HAProxy.
- `tls`: TLS endpoints whose certificates are read again when they change.
- `pems`: a folder of certificates, one for each host name.

`web/websocket`, `web/routes`, `app`, `ops` and `tap` import these modules.
"""
