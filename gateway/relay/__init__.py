"""The relay: what one client says goes to all the others of its namespace.

Each namespace has one log of events, and each client has a place in it up to which it has read.
The relay knows no market, and of events only those that it answers or sends itself: its settings
say which events have keys, and which codes name one thing.  `app` and `ops` import it.

In reading order:

- `settings`: what can be set.
- `relay`: the relay as a whole: a hub for each namespace.
- `hub`: one namespace: takes events in.
- `entrance`: answers CONNECT: who comes in, and as whom.
- `observer`: what it asks of the gateway, which `app` implements.
- `event`: one event, what of it may change in the log, and its key: which events it replaces.
- `aliases`: codes that name one thing: the interface of what knows them.
- `journal`: the one way into a log, and a place in it as text.
- `log`: the events of one namespace, in order, bounded in bytes and number.
- `view`: the clients that have read everything and want the same events in the same bytes.
- `views`: all views of a log, and which of them may want an event.
- `member`: what is known of one client: who it is, what it wants, what it was sent.
- `subscription`: its place in the log.
- `session_outbox`: all that one session has to be sent, of all its namespaces.
- `turn`: the end of a reactor turn, the one moment at which the relay writes.
- `selection`: which events a client wants: its filter.
- `auth`: the keys of a client's `auth`, and how they are misspelt.
- `late_joiners`: the snapshot for clients that connect later: who gets what; changes of filters.
- `snapshot`: the newest event of each key.
- `pids`: the private ids by which clients come back.
- `recovery`: connection state recovery: a client that was cut off gets what it missed.
- `continuity`: what of all this outlives the process, and how it goes on after it.
- `memory`: a tap that writes it into a ring, each turn before anything is sent.
- `ring`: the bytes of that ring; what of them is believed after a kill, damage or a power cut.
- `remembered`: the ring read again, at the next start.
- `past`: the events that it has, which stay packed until a client asks for them.
- `remembered_subjects`: what each of them is about.
- `acks`: acknowledgments: which receiver's answer goes to the sender.
- `services`: questions that the gateway answers itself, such as that for bars.
- `refusals`: the answer to clients that may listen but not publish.
- `lagging`: slow clients: their backlog is shortened, or they are disconnected.
- `conflation`: which events of a backlog are replaced by newer ones.
"""
