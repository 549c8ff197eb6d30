"""Supervises one worker: starts it, watches it, ends it, and tells the true outcome.

In reading order:

- `supervisor`: makes all parts of this folder; what the gateway and the HTTP routes call.
- `takeover`: the worker of a gateway before this one, and whether a person stopped it.
- `estate`: what the next gateway of a cluster is to know.
- `settings`: what it can be told.
- `report`: what log, browsers, `/status` and `/health` are told.
- `lifecycle/`: when a worker starts and ends: the gate, the budget, the broker's pauses, exits.
- `process/`: the worker's process, its guardian, its output and its Python.
- `readiness/`: whether it is ready, and what is done when it is late or silent.
- `keys/`: the credentials that the next worker gets.
- `calendar/`: what is done by the clock: schedules, session windows, looks once a second.
- `sources`: the worker's own source files and what they import.

`gateway.app` and `gateway.ops.doctor` import it.  It imports `gateway.common`, `gateway.contract`
and, for names of events, hours and the state of feeds, `gateway.market`; `gateway.web` and this
folder do not know each other.
"""
