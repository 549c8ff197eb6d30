"""What is known of Shioaji's events and of Taiwan's markets, and nowhere else.

`history`, `worker`, `ops`, `app` and `cli` import it, and `options` its `events`; the relay does
not.

In reading order:

- `events`: the names of events and their groups.
- `schemas/`: what is in each of them, for documents and for TypeScript.
- `codes`: codes that name one contract: the continuous `TXFR1` and the month's `TXFL6`.
- `hours`: trading hours of the day and night sessions, and holidays, on the clock of Taipei.
- `tick_sizes`: the smallest steps of prices, as the exchanges publish them.
- `contracts`: what is known of each code, as `GET /codes` tells it.
- `feed`: whether the feed of one market is silent while the market trades.
- `freshness`: how old the newest event of each name and code is, and which feeds are stale.
"""
