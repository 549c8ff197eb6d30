"""The newest event of each key, for who joins late."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from gateway.relay.event import Event


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

    def __len__(self) -> int:
        return len(self._newest)

    @property
    def bytes(self) -> int:
        """Payload bytes that are kept."""
        return self._bytes

    def see(self, event: Event) -> None:
        """Keep `event`, which has a key, in place of its forerunner."""
        before = self._newest.pop(event.key, None)
        self._newest[event.key] = event
        self._bytes += event.size - (before.size if before is not None else 0)
        while len(self._newest) > self._max_keys or self._bytes > self._max_bytes:
            self._drop(next(iter(self._newest)))

    def forget(self, unwanted: Callable[[Event], bool]) -> None:
        """Drop the events that are `unwanted`."""
        for key in [key for key, event in self._newest.items() if unwanted(event)]:
            self._drop(key)

    def events(self) -> Iterable[Event]:
        """All that is kept, what was seen last at the end."""
        return self._newest.values()

    def _drop(self, key: Hashable) -> None:
        self._bytes -= self._newest.pop(key).size
