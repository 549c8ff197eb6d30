"""Which events of a backlog are replaced by newer ones, found by one look at each event."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from gateway.relay.event import Event


SPARE = 100
"""Keys kept beyond twice the number of events in the log, before old ones are removed."""


class Outdated:
    """Marks events that a newer one of the same key replaces.

    Each event is looked at once, however many clients are late, and only when one is late.
    An event of the worker is replaced only by another one of the worker, since some clients
    receive only the worker's.
    """

    def __init__(self) -> None:
        self._trusted: dict[Hashable, Event] = {}
        self._others: dict[Hashable, Event] = {}

    def mark(self, events: Sequence[Event], tail: int, head: int) -> None:
        """Take `events`, the newest ones; the log holds positions from `tail` to before `head`."""
        for event in events:
            key = event.key
            if key is None:
                continue
            if event.trusted:
                _replace(self._trusted.get(key), event)
                _replace(self._others.pop(key, None), event)
                self._trusted[key] = event
            else:
                _replace(self._others.get(key), event)
                self._others[key] = event
        if len(self._trusted) + len(self._others) > 2 * (head - tail) + SPARE:
            self._trusted, self._others = [
                {key: event for key, event in known.items() if event.position >= tail}
                for known in (self._trusted, self._others)
            ]


def _replace(before: Event | None, event: Event) -> None:
    if before is not None:
        before.outdated, before.outdated_by = True, event.sender


def conflate(waiting: list[Event], kept: dict[Hashable, float], patience: float) -> list[Event]:
    """The events of `waiting` that are to be sent; both lists have the newest first.

    These are the newest one of each key and all without a key.  If nothing of a key was sent
    for `patience` seconds, its oldest event is sent, too: otherwise a key that changes all the
    time would never be sent, since events keep their order.  `kept` is filled here: for each
    key the time from which on something of it waits, in seconds since 1970.
    """
    newest: dict[Hashable, Event] = {}
    oldest = {event.key: event for event in waiting}
    left = []
    for event in waiting:
        key = event.key
        if key is None:
            left.append(event)
            continue
        since = kept.setdefault(key, event.wall)
        if key not in newest:
            newest[key] = event
            left.append(event)
        elif event is oldest[key] and newest[key].wall - since >= patience:
            left.append(event)
    return left
