"""The relay: one event log per namespace, and a cursor into it per subscriber.

- `acks`: acknowledgments through the relay: the first receiver that says something answers.
- `auth`: the keys of a client's `auth` that are the gateway's, and how they are misspelt.
- `conflation`: what of a backlog is worth nothing any more, found without looking at all of it
  each time.
- `event`: one relayed event.
- `hub`: the relay rule: what one client of a namespace says goes to all the others.
- `journal`: the one way into a namespace's log.
- `lagging`: slow consumers: brought up to date by conflation, or dropped, before they cost
  memory.
- `late_joiners`: what a screen needs: a snapshot when it opens, and only the events it shows.
- `log`: the event log of one namespace: what was said, in order, and who has read how far.
- `recovery`: connection state recovery, for clients that ask for it.
- `refusals`: what a client is told that may listen, but not speak.
- `relay`: the relay as a whole: its hubs, and the outboxes they share.
- `selection`: which events a client wants: its own narrowing of what is relayed.
- `session_outbox`: a session's output: its own packets, and its subscriptions, towards one
  sink.
- `settings`: what can be set about the relay.
- `shares`: a bound that many share: who takes the most of it is the first to lose something.
- `subscription`: one socket's place in its namespace's log.
- `turn`: the end of the reactor turn: the one moment at which the relay writes.
- `view`: the caught-up subscriptions that want the same in the same form: they share writes.
"""
