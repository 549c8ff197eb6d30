"""Makes what outlives the process of the gateway's parts: the logs, the feeds, the last exits."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gateway.app.layer_settings import mark_of, state_dir
from gateway.app.memory_files import MemoryFiles
from gateway.app.memory_service import RelayMemory
from gateway.history.trades import MARKS
from gateway.market.events import FEED_STATUS, WORKER_STATUS

if TYPE_CHECKING:
    from gateway.app.worker_events import WorkerEvents
    from gateway.market.freshness import Freshness
    from gateway.options import Settings
    from gateway.relay.log import Log
    from gateway.relay.relay import Relay
    from gateway.relay.remembered import Remembered
    from gateway.relay.settings import RelaySettings
    from gateway.system.system import System
    from gateway.worker.lifecycle.exits import LastExits
    from gateway.worker.supervisor import Supervisor

OWN: Final = frozenset((WORKER_STATUS, FEED_STATUS))
"""Events that are told by the gateway itself, and tell nothing of a feed."""


def make_memory(
    settings: Settings,
    relaying: RelaySettings,
    relay: Relay,
    events: WorkerEvents,
    supervisor: Supervisor | None,
    *,
    system: System,
) -> RelayMemory | None:
    """The memory of `relay`; None for what is not the market: nothing of it may be left."""
    if mark_of(settings):
        return None
    memory = RelayMemory(
        MemoryFiles(state_dir(settings, os.environ), settings.port, system.boot()),
        relay,
        relaying,
        marks=MARKS,
        supervised=supervisor is not None,
        wall=time.time,
    )
    memory.on_restored = events.restored
    log = next(iter(relay.hubs.values())).log
    memory.kept["freshness"] = FeedMemory(events.freshness, log)
    events.listeners.append(partial(_told, memory))
    if supervisor is not None:
        memory.kept["exits"] = ExitMemory(supervisor.last_exits)
        supervisor.last_exits.on_change = partial(memory.note, "exits")
    return memory


def _told(memory: RelayMemory, name: str, value: object) -> None:
    """The gateway published an event."""
    del value
    if name == FEED_STATUS:
        memory.note("freshness")


class FeedMemory:
    """The freshness of the feeds; `log` has the events that came after the last note."""

    def __init__(self, freshness: Freshness, log: Log) -> None:
        self._freshness = freshness
        self._log = log

    def state(self) -> Any:
        return [self._log.head, self._freshness.state()]

    def restore(self, state: Any, known: Remembered) -> None:
        position, feeds = state
        self._freshness.restore(feeds)
        for (name, code), (count, when) in known.past.counts(position).items():
            if name not in OWN:
                self._freshness.recall(str(name), code, when, count)


class ExitMemory:
    """The last exits of the worker."""

    def __init__(self, exits: LastExits) -> None:
        self._exits = exits

    def state(self) -> Any:
        return self._exits.state()

    def restore(self, state: Any, known: Remembered) -> None:
        del known
        self._exits.restore(state)
