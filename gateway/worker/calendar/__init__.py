"""What is done with the worker by the clock, when nobody asks.

In reading order:

- `schedule`: cron expressions and session windows as points in time.
- `timetable`: starts, stops and restarts by them; a check of the gate.
- `periodic_checks`: what is looked at once a second: timetable, heartbeat, changed files.

`gateway.worker` and `gateway.ops.doctor` import it.
"""
