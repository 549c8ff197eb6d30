"""Whether the worker is ready, and what is done when it is late or silent.

In reading order:

- `vitals`: what a worker said of itself and when: ready, connected, hung.
- `overdue`: tells people of a worker that does not become ready or does not connect.
- `silent_feeds`: restarts a worker whose feed is silent while its market trades.

`gateway.worker` makes them; `gateway.worker.lifecycle` and `process` know the vitals alone.
"""
