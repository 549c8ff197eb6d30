"""The gateway as one Twisted service: what joins relay, web and worker.

- `assembly`: what the gateway is made of.
- `service`: in which order it starts and stops.
- `children`: its ports, sessions and timer.
- `senders`: which session is the worker's, and who may send how much.
- `process`: what a process of our own is given.
- `admission`: who may come in through Socket.IO, and who may speak to others there.
- `check`: `twistd -n sjgateway --check`: looks at everything a start needs, and starts nothing.
- `command_line`: the table of options as `twistd sjgateway` reads it.
- `identity`: who is behind a session: found out once, and remembered with the session.
- `layers`: from the one table of options to the settings of each layer.
- `measures`: what `/metrics` tells, put together.
- `recognition`: which sessions are the worker's: found out by few looks, whoever comes.
- `reload`: SIGHUP: read again what may have changed on disk, or end with the terminal.
- `status`: what `/status` tells: the worker, the relay and its clients, and how fresh
  everything is.
- `visitors`: who comes and goes, for the log.
- `worker_events`: what the gateway makes of the events it relays: counts, trust, news of the
  worker.

It may import everything; only `gateway.tap` imports it.
"""
