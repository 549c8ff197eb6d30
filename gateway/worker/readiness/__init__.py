"""Whether the worker is ready, and what is done when it is late or silent.

In reading order:

- `vitals`: what a worker said of itself and when: ready, connected, hung.
- `overdue`: what is done about a worker that does not become ready, does not connect, or whose
  feed is silent.

`gateway.worker` makes them; `gateway.worker.lifecycle` and `process` know the vitals alone.
"""
