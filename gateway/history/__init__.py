"""What the gateway remembers of the market: recordings of all events, and bars.

In reading order:

- `heard_event`: what is read of a relayed event.
- `event_thread`: hands each turn's events to a thread, whose work is a `Duty`: recording, or bars.
- `recorded_lines`: the lines of a recording, and what they say.
- `recordings_folder`: its settings, the names of its files, and which old ones are removed.
- `zstd_file`: files of zstd frames: written a whole frame at a time, read up to the last whole one.
- `reading`: reads a recording.
- `recorder`: the `Duty` of recording: makes lines and frames of events, and writes them.
- `recording`: starts and stops the recorder, and says how it is: for the log, alerts, `/status`.

- `trades`: reads trades, and the broker's bars, from the worker's events.
- `bars`: makes bars of trades; without I/O.
- `bar_file`: a file of SQLite: its lock, its bound, what is done when it is damaged.
- `bar_store`: bars in that file.
- `bar_query`: what may be asked for, and the answer as JSON.
- `bar_page`: bars for another gateway of a cluster, which was away.
- `bar_book`: the bars of one source: what is built, what is kept, which codes are one contract.
- `bar_questions`: whose question is answered next, and for how long.
- `bar_keeper`: the `Duty` of bars: what the thread does with events and questions.
- `bar_exchange`: has the thread make such pages, and take them.
- `bar_service`: bars as a whole, for `gateway.app`.

`app`, `ops/metrics` and `cli` import it.  It gets events by `Log.taps` and `Hub.listen`, as `app`
has it; it does not know the relay.  Nothing here that needs zstd is imported before a recording is
wanted, since zstd is a library of its own.
"""
