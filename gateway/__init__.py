"""A Socket.IO gateway and worker supervisor for twistd.

The folders, in reading order; the `__init__` of each is its own map:

- `engineio/`: Engine.IO 3 and 4, without I/O: packets, sessions, transports.
- `socketio/`: Socket.IO 4 and 5 over any Engine.IO session, without I/O.
- `relay/`: the log of events, the place of each client in it, snapshots and recovery.
- `cluster/`: several gateways with one log in Redis or Valkey, and one worker.
- `market/`: what is known of Taiwan's markets: codes, hours, holidays, freshness of the feed.
- `history/`: what is remembered of the market: recordings and bars.
- `replay/`: plays recordings: a worker of ours, in a process of its own.
- `client/`: what a worker in Python is made of, for a trader who writes only his rule.
- `rehearsal/`: a recorded day in the place of the broker, for the user's own worker.
- `worker/`: starts, watches and ends `main.py`: states, pauses, process, keys, schedules.
- `web/`: HTTP, WebSocket, the guard before both, the routes and the page.
- `contract`: what the routes ask of the worker's supervisor: methods, errors, credentials.
- `ops/`: logs, metrics, alerts, `--check`, systemd.
- `options/`: the table of options.
- `app/`: makes one Twisted service of all of it.
- `tap`: what the plugin of twistd names.
- `cli/`: commands beside the gateway: `python -m gateway tail` and others.
- `__main__`: what `python -m gateway` runs.
- `system/`: what not every operating system has, behind one interface.
- `common/`: what is used by several of them.

ARCHITECTURE.md says which of them may import which.
"""

__version__ = "0.1.0"
