"""The newest event of each key, for who joins late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.engineio.forms import POLLING_PACKETS
from gateway.engineio.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from gateway.relay.aliases import Aliases
    from gateway.relay.event import Event

BUNDLES = 32
"""Kinds of readers for which bundles are kept: a stranger may ask for any number."""


class Snapshot:
    """Events by key, in the order in which they were last seen.

    Bounded in keys and bytes: what was not seen for the longest time goes first.  The
    payloads are the original bytes.
    """

    def __init__(self, *, max_keys: int, max_bytes: int) -> None:
        self._max_keys = max_keys
        self._max_bytes = max_bytes
        self._newest: dict[Hashable, Event] = {}
        self._bytes = 0
        self._bundles: dict[Hashable, list[Record]] = {}
        self._renamed: Aliases | None = None

    def __len__(self) -> int:
        return len(self._newest)

    @property
    def bytes(self) -> int:
        """Payload bytes that are kept."""
        return self._bytes

    def see(self, event: Event) -> None:
        """Keep `event`, which has a key, in place of its forerunner."""
        self._bundles.clear()
        before = self._newest.pop(event.key, None)
        self._newest[event.key] = event
        self._bytes += event.size - (before.size if before is not None else 0)
        while len(self._newest) > self._max_keys or self._bytes > self._max_bytes:
            self._drop(next(iter(self._newest)))

    def rename(self, aliases: Aliases) -> None:
        """Know the events that are kept by the codes that their contracts have now."""
        self._bundles.clear()
        self._renamed = aliases  # who says names often must not make it dear

    def forget(self, unwanted: Callable[[Event], bool]) -> None:
        """Drop the events that are `unwanted`."""
        self._bundles.clear()
        for key in [key for key, event in self._newest.items() if unwanted(event)]:
            self._drop(key)

    def bundles(self, key: Hashable, wanted: Callable[[Event], bool]) -> list[Record]:
        """The events that are `wanted`, what was seen last at the end, many to a record.

        Who asks with an equal `key` before anything changes gets the same records.
        """
        bundles = self._bundles.get(key)
        if bundles is None:
            if len(self._bundles) == BUNDLES:
                self._bundles.clear()
            self._rename()
            packets = [event.packets[0] for event in self._newest.values() if wanted(event)]
            bundles = self._bundles[key] = [
                Record(*packets[at : at + POLLING_PACKETS])
                for at in range(0, len(packets), POLLING_PACKETS)
            ]
        return bundles

    def _rename(self) -> None:
        aliases, self._renamed = self._renamed, None
        if aliases is not None:
            for event in self._newest.values():
                event.aliases = aliases.of(event.code)

    def _drop(self, key: Hashable) -> None:
        self._bytes -= self._newest.pop(key).size
