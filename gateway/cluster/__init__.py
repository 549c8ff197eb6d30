"""Several gateways with one log in Redis or Valkey.

An event gets its place from Redis, and only then reaches anybody, on every gateway by the same
path.  The journal of each namespace (`gateway/relay/journal.py`) is here; `app` makes it.

In reading order:

- `settings`: what can be set.
- `address`: where Redis is.
- `version`: which server it is, and whether it is new enough.
- `scripts`: the keys, and what Redis does in one step; what entries of the log there are.
- `record`: what stands in a batch of events, and in a kept snapshot.
- `places`: which position of a gateway's own log is which place of the shared one.
- `resp`: one connection: commands and their answers.
- `link`: a connection that is made again and again.
- `entry`: one entry of the log.
- `tail`: reads what is new.
- `own`: what this gateway has said and has not got back from the log yet.
- `answers`: acknowledgments over gateways.
- `reading`: reads the log of a namespace, and lets its hub take what stands there.
- `snapshots`: keeps the snapshot in Redis, for gateways that start later.
- `shared`: the journal: what the relay calls, islands, what clients wait for.
- `site`: what the journals of one gateway share.
- `cluster`: all of it, as a service.

The one worker, and what gateways know of each other; `gateway/app/elected_worker.py` and
`neighbours.py` join them with the worker and the routes:

- `terms`: how long a lease lasts, and what follows from that; no I/O.
- `election`: who may have the worker, and why it is never two; no I/O.
- `lease_script`: what is asked of Redis for that.
- `lease`: when it is asked, and what is made of the answers.
- `blocking`: a conversation with Redis without an event loop.
- `release`: gives the lease of a gateway back that was killed.
- `seal`: what only the cluster can read.
- `inheritance`: what the next gateway with the worker has to know.
- `told`: what a gateway tells the others of itself, and the options that have to be the same.
- `members`: who is there.
- `mail`: messages between gateways.
- `questions`: those that are answered.
- `shown`: how the worker is, for all gateways.
- `control`: changing it, from any gateway.
"""
