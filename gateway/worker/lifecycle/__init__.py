"""The worker's life-cycle: whether a worker may start, when, and why the last one ended.

In reading order:

- `gate`: the one gate before every start, with a reason and a time.
- `backoff`: the pause after an exit that nobody asked for, and when trying ends.
- `broker_limits`: the budget of starts, and the pauses that the broker imposes.
- `ledger`: the starts of each trading day, on disk.
- `classification`: the class of an error, by the words of the worker.
- `exits`: how a worker ended, the class of that, and the last exits.

`gateway.worker` and `gateway.doctor` import it.  It imports `gateway.common`, and of
`gateway.worker` only the settings, the errors and the times: it knows no process.
"""
