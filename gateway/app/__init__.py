"""Makes one Twisted service of relay, worker and web, which do not know each other.

How it is made and run:

- `command_line`: the options as `twistd sjgateway` is given them, and `--help`.
- `early_answers`: answers who waits at ports that stayed open, before the gateway is made.
- `layer_settings`: makes the settings of each layer of the table of options.
- `assembly`: the composition root: makes every object, once, with the help of three:
- `web_site`: the site: routes and `/socket.io/` behind the guard.
- `history_taps`: recording and bars, which hear the relay.
- `memory_parts`: what outlives the process: the relay, how fresh the data are, the last exits.
- `memory_service`: reads that at the start, and has it written from then on.
- `memory_files`: the files for it: whose they are, and room for them.
- `service`: the gateway as a service: in which order its parts start and stop, and their errors.
- `child_services`: the services for ports, worker, deadlines and sessions.
- `process`: limits, clock, signals, memory and orphans of the process; what SIGHUP reads again.
- `hand_over`: the code on disk takes over in the same process, if a check of it passes.
- `image`: the program of the process: its command, its check in a child, its replacement.
- `check`: `--check`: looks at what a start needs, and starts nothing.

Who is behind a session, and what it may do:

- `access_parts`: makes the guard, and all that is below.
- `admission`: who may join a namespace and publish there; ends sessions of revoked tokens.
- `identity`: what is known of the client behind a session, kept with the session.
- `worker_sessions`: finds out which sessions are the worker's.

What is told of all this, and asked for:

- `worker_events`: hears each relayed event; publishes the gateway's own events.
- `status`: the answer of `GET /status`.
- `known_codes`: the answer of `GET /codes`.
- `seen_worker`: the supervisor as `worker_events` sees it; marks what a rehearsing worker says.
- `replayed_worker`: keeps what a recording says of its worker from being taken for ours.
- `replay_control`: stands between a replay's worker and those who watch it or tell it to pause.
- `cluster_parts`: makes this gateway's part in a cluster, and joins it with the rest.
- `elected_worker`: joins the election of a cluster and the worker.
- `shared_bars`: has the bars of a gateway be those of the others of its cluster.
- `neighbours`: what the gateways of a cluster know of each other, and ask of each other.
- `collectors`: registers the collectors of `GET /metrics`.
- `build`: which build runs, for the log, `--check` and the metrics.

It may import everything; only `gateway.tap` imports it.
"""
