"""The names of the events that the gateway knows, and their groups.

Each name is written here only.  `schemas` says what each event holds.  The relay knows
none of them: it is given the names in its settings.  This module imports nothing.
"""

from __future__ import annotations

from typing import Final

# -- Names of the worker's events.

READY: Final = "shioaji_ready"
"""The worker has logged in."""
HEARTBEAT: Final = "heartbeat"
CONTRACTS_LOADED: Final = "contracts_loaded"
OPTION_METADATA: Final = "option_metadata"
CONTRACT: Final = "market_contract"
"""`{code, target_code, ...}`: sent for each contract at the start and when it changes."""
SNAPSHOT: Final = "market_snapshot"
TICK: Final = "market_tick"
KBARS: Final = "market_kbars"
"""`{code, ts, Open, High, Low, Close, Volume}`: the broker's bars of one minute, as lists."""
BIDASK: Final = "market_bidask"
ERROR: Final = "python_error"

# -- Names of the gateway's own events.

WORKER_STATUS: Final = "python_status"
"""What the worker's process does.  A worker may send it, too, about itself."""
ASK_BARS: Final = "sjgateway:bars"
"""A client's question for bars, which the gateway answers."""
ASK_REPLAY: Final = "sjgateway:replay"
"""The question of a replay's worker: it tells how it is, and asks what to change."""
FEED_STATUS: Final = "feed_status"
"""Whether the feed of a market is silent while the market trades."""

# -- Groups.

STATES: Final = (
    READY,
    WORKER_STATUS,
    FEED_STATUS,
    HEARTBEAT,
    CONTRACTS_LOADED,
    OPTION_METADATA,
    CONTRACT,
)
"""Events that describe a state: the default of `--state-events`."""
QUOTES: Final = (SNAPSHOT, TICK, BIDASK)
"""Events of market data: the default of `--quote-events`."""
KNOWN: Final = frozenset((*STATES, *QUOTES, KBARS))
"""Events that are always counted by name."""
TICKS: Final = frozenset((TICK, BIDASK))
"""Events that come all the time while a market trades."""
READINESS: Final = frozenset((READY, HEARTBEAT, CONTRACTS_LOADED))
"""Events that are no longer true when the worker has ended."""
STARTUP: Final = frozenset((CONTRACTS_LOADED, CONTRACT, KBARS, ERROR))
"""Events of a worker's start that are no market data."""
