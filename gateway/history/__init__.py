"""What the gateway remembers of the market: recordings of all events, and bars.

In reading order:

- `tap`: hands each turn's events to a thread, which does its duty there.
- `lines`: the lines of a recording, and what they say.
- `names`: the names of recordings, and those in a folder.
- `frames`: files of zstd frames, which are written whole and read up to a cut end.
- `reading`: reads a recording.
- `retention`: removes old recordings.
- `settings`: what the recorder can be told.
- `recorder`: makes lines and frames of events and writes them, in a thread.
- `recording`: starts and stops that, and says how it is: for the log, alerts, `/status`.

- `bars`: makes bars of ticks; without I/O.
- `bar_store`: bars in SQLite.
- `bar_query`: what may be asked for, and the answer as JSON.
- `bar_book`: the bars of one source: what is built, what is kept, which codes are one contract.
- `bar_keeper`: what the thread of bars does with events and questions.
- `bar_service`: bars as a whole, for `gateway.app`.

It gets events by `Log.taps`, which `gateway.app` sets, and reads of an event what `tap.Event`
names; it does not know the relay.  Nothing here is imported before a recording is wanted, since
zstd is a library of its own.
"""
