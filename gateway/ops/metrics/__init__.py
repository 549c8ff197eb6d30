"""The collectors of prometheus_client behind `GET /metrics`.

Others count in plain attributes, which a collector reads when somebody asks.  docs/metrics.md has
the names and what they mean.

- `families`: makes counters and gauges with at most one label.
- `clients`: the relay, its clients and the feeds.
- `worker`: the worker's state, exits, starts and pauses.
- `cluster`: a gateway's part in its cluster.
- `gateway`: connections, refusals, alerts, the recording, the bars, CPU, memory, and how late the
  reactor's timers are.

`gateway.app.collectors` registers them.
"""
