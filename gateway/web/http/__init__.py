"""The modules of `gateway/web/http/`.

- `audit`: one log line for every control action: what, who, from where, and what became of it.
- `channel`: HTTP/1.1 connections: deadlines that no byte prolongs, and writing without a
  detour.
- `counting`: connections, counted from accept to close, by whose they are.
- `gzip`: compressed answers: each made once for all who are given the same bytes.
- `limits`: bounds on what strangers can make us hold: sizes, times, connections, messages.
- `listen`: where we listen: default addresses, endpoints, and the worker's own way in.
- `pems`: the certificates in a folder of `.pem` files: a TLS context for each host's name.
- `proxy_protocol`: the PROXY protocol: a proxy says for whom it connects, before the first
  request.
- `request`: one request and its answer: bodies in memory, within bounds; errors as JSON.
- `site`: the one site: where each path leads, and the guard in front of all of them.
- `strict_parsing`: what twisted.web lets pass and we do not.
- `timer`: one reactor timer for all deadlines.
- `tls`: TLS for `ssl:` and `tls:` endpoints: what is spoken, and files that are read again.
- `worker_port`: a port for the worker, kept over restarts, where it can't have the usual one.
- `writer`: writing to a transport at the cost of the kernel.
"""
