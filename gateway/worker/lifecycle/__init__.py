"""The worker's life-cycle: when a worker starts and ends, who is answered, and why it ended.

In reading order:

- `states`: the theory of operation, and what each input leads to in each state.
- `lifecycle`: what people and timers ask for.
- `run_reports`: what the worker's runs report, and what follows from it.
- `transitions`: what the states do: the one way to a new worker, and the end of one.
- `gate`: the one gate before every start, with a reason and a time.
- `backoff`: the pause after an exit that nobody asked for, and when trying ends.
- `broker_limits`: the budget of starts, and the pauses that the broker imposes.
- `ledger`: the starts of each trading day, and what else outlives the gateway.
- `ledger_file`: the file for it, on disk.
- `requests`: who waits for what, in one list.
- `classification`: the class of an error, by the words of the worker.
- `exits`: how a worker ended, the class of that, and the last exits.
- `protocols`: who speaks with the life-cycle, and who is told.

The other folders of `gateway.worker` and `gateway.ops.doctor` import it.  It knows no process:
of `gateway.worker` it imports only the settings and the type of the vitals.
"""
