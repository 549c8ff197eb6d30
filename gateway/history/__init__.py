"""What the gateway remembers of the market: recordings of all events.

In reading order:

- `tap`: hands each turn's events to a thread, which does its duty there.
- `lines`: the lines of a recording, and what they say.
- `names`: the names of recordings, and those in a folder.
- `frames`: files of zstd frames, which are written whole and read up to a cut end.
- `reading`: reads a recording.

It gets events by `Log.taps`, which `gateway.app` sets, and reads of an event what `tap.Event`
names; it does not know the relay.  Nothing here is imported before a recording is wanted, since
zstd is a library of its own.
"""
