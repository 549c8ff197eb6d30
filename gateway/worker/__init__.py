"""The supervisor of main.py: one life-cycle machine and the process behind it.

- `answers`: what is told of the worker; nothing here changes anything.
- `credential_change`: new keys for the worker, and the previous ones again when those don't
  work.
- `errors`: what a request to the supervisor may fail with.
- `overdue`: tells people that a worker does not become ready: its login may hang in native
  code.
- `periodic_checks`: what is looked at once a second: the calendar, the heartbeat, the files.
- `report`: what browsers, `/health` and `/status` are told.
- `rescue`: ends a worker whose guardian was killed.
- `run`: one generation of the worker, from the decision to start it until nothing is left.
- `settings`: what the supervisor can be told.
- `silent`: restarts a worker whose feed is silent while its market trades, if that is wanted.
- `sources`: the worker's own source files, and what they import beyond themselves.
- `supervisor`: the supervisor: everything that is done with a worker, behind one object.
- `vitals`: signs of life of one worker process.
- `calendar/`: tODO: the map of this folder.
- `keys/`: tODO: the map of this folder.
- `lifecycle/`: the worker's life-cycle: when a worker starts and ends, who is answered, and why
  it ended.
- `process/`: tODO: the map of this folder.
"""
