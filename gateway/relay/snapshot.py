"""The newest event of each key, which the clients that come later are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.engineio.forms import POLLING_PACKETS
from gateway.engineio.packet import Record
from gateway.relay.selection import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable
    from collections.abc import Set as AbstractSet

    from gateway.relay.aliases import Aliases
    from gateway.relay.event import Event
    from gateway.relay.selection import Selection

BUNDLES = 32
"""Different requests for which bundles are kept: a client may make any number."""


class Snapshot:
    """Events by key, in the order in which they were last seen.

    Bounded in keys and bytes: the event that was not seen for the longest time is dropped
    first.  The payloads are the original bytes.
    """

    def __init__(self, *, max_keys: int, max_bytes: int) -> None:
        self._max_keys = max_keys
        self._max_bytes = max_bytes
        self._newest: dict[Hashable, Event] = {}
        self._by_name: dict[str | float, dict[Hashable, None]] = {}
        self._by_code: dict[str | None, dict[Hashable, None]] = {}
        self._bytes = 0
        self._bundles: dict[Hashable, list[Record]] = {}
        self._aliases: Aliases | None = None
        self._renamed = False

    def __len__(self) -> int:
        return len(self._newest)

    @property
    def bytes(self) -> int:
        """Payload bytes that are kept."""
        return self._bytes

    def see(self, event: Event) -> None:
        """Keep `event`, which has a key, in place of the one before it."""
        self._bundles.clear()
        before = self._newest.pop(event.key, None)
        self._newest[event.key] = event
        if before is None or before.code != event.code:
            self._forget_place(before)
            self._by_name.setdefault(event.name, {})[event.key] = None
            self._by_code.setdefault(event.code, {})[event.key] = None
        self._bytes += event.size - (before.size if before is not None else 0)
        while len(self._newest) > self._max_keys or self._bytes > self._max_bytes:
            self._drop(next(iter(self._newest)))

    def rename(self, aliases: Aliases) -> None:
        """Use the codes that `aliases` has now, also for the events that are kept."""
        self._bundles.clear()
        self._aliases, self._renamed = aliases, True  # renames may come often, so look later

    def forget(self, unwanted: Callable[[Event], bool]) -> None:
        """Drop the events that are `unwanted`."""
        self._bundles.clear()
        for key in [key for key, event in self._newest.items() if unwanted(event)]:
            self._drop(key)

    def values(self) -> list[Event]:
        """The events that are kept, the one not seen for the longest time first."""
        return list(self._newest.values())

    @property
    def names(self) -> AbstractSet[str | float]:
        """The names of the events that are kept."""
        return self._by_name.keys()

    def bundles(
        self, key: Hashable, wanted: Callable[[Event], bool], selection: Selection = EVERYTHING
    ) -> list[Record]:
        """The events that are `wanted`, the last seen at the end, up to 16 in a record.

        Calls with an equal `key` get the same records until something changes.  Only what
        `selection` may want is searched, so that a change of a filter costs little.
        """
        bundles = self._bundles.get(key)
        if bundles is None:
            if len(self._bundles) == BUNDLES:
                self._bundles.clear()
            self._rename()
            events = self._candidates(selection)
            packets = [event.packets[0] for event in events if wanted(event)]
            bundles = self._bundles[key] = [
                Record(*packets[at : at + POLLING_PACKETS])
                for at in range(0, len(packets), POLLING_PACKETS)
            ]
        return bundles

    def _candidates(self, selection: Selection) -> Iterable[Event]:
        """The events of the names or the codes that `selection` has, in order."""
        places: Iterable[Iterable[Hashable]]
        if selection.codes is not None:
            aliases = self._aliases
            codes: set[str | None] = {None, *selection.codes}
            if aliases is not None:
                codes.update(*[aliases.of(code) for code in selection.codes])
            places = [self._by_code.get(code, ()) for code in codes]
        elif selection.events is not None:
            places = [self._by_name.get(name, ()) for name in selection.events]
        else:
            return self._newest.values()
        events = [self._newest[key] for keys in places for key in keys]
        return sorted(events, key=lambda event: event.position)

    def _rename(self) -> None:
        if self._renamed and self._aliases is not None:
            for event in self._newest.values():
                event.aliases = self._aliases.of(event.code)
        self._renamed = False

    def _drop(self, key: Hashable) -> None:
        event = self._newest.pop(key)
        self._bytes -= event.size
        self._forget_place(event)

    def _forget_place(self, event: Event | None) -> None:
        if event is None:
            return
        _remove(self._by_name, event.name, event.key)
        _remove(self._by_code, event.code, event.key)


def _remove(index: dict[Any, dict[Hashable, None]], value: object, key: Hashable) -> None:
    keys = index[value]
    del keys[key]
    if not keys:
        del index[value]
