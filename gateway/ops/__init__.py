"""What whoever operates the gateway sees of it: logs, metrics, alerts, checks, and the system.

- `logs/`: the log: one line an event, tagged, escaped and redacted.
- `metrics/`: the collectors behind `GET /metrics`.
- `alerts/`: webhooks, when the worker or a feed is in trouble.
- `doctor/`: the checks of `--check`.
- `systemd`: tells systemd that the gateway is ready, alive, about to end.
- `pidfile`: tells a `twistd.pid` that was left behind from that of a running gateway.

Only `gateway.app` imports it.  A part imports what it reads: `doctor` the worker and the web,
`metrics` the relay, history, the market and the web, `alerts` the market.
"""
