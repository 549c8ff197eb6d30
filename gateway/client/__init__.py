"""The plumbing of a worker, so that a trader writes only his rule; it imports no Twisted.

- `rule`: what he writes: where to subscribe, what to do on a tick and on a bar.
- `minutes`: bars of one minute, made of ticks.
- `run`: runs a worker with a rule: options, keys, signals.
- `settings`: what options and environment say.
- `needs`: the packages that it needs, looked for before they are imported.
- `console`: the log, without secrets.
- `worker`: one source for one gateway, from the first word to the last.
- `connection`: the connection to the gateway, which holds over its absences.
- `bounded`: work that may take no longer than it should.
- `events`: what every event has.
- `source`: where market data comes from, as the worker sees it.
- `broker`: Shioaji as a source: login, contracts, quotes.
- `convert`: makes events of what the broker's library gives.
- `listed`: how many strikes the exchange has, of which a feed seldom follows all.
- `backfill`: the day's bars of the broker, for what the gateway did not hear.
- `demo`: a random walk, marked as such.
- `__main__`: the demonstration by itself.
"""
