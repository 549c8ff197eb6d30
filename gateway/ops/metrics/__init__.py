"""What `/metrics` tells: counters that others keep as plain numbers, read when asked for.

docs/metrics.md has the names and what they mean.  Each class here is a collector of
prometheus_client.

- `clients`: the relay and its clients.
- `delay`: how long the reactor's turns hold up others.
- `families`: families of samples that have at most one label.
- `gateway`: alerts.
- `worker`: the worker.
"""
