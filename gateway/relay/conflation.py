"""What of a backlog is worth nothing any more, found without looking at all of it each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from gateway.relay.event import Event


SPARE = 100
"""Keys that may be known beyond twice those of the log, before they are gone through."""


class Outdated:
    """Marks events that a newer one of their key replaces.

    Each event is looked at once, however many clients are late, and none while nobody is.
    What the worker said is never outdated by somebody else: there are clients that hear
    the worker alone.
    """

    def __init__(self) -> None:
        self._trusted: dict[Hashable, Event] = {}
        self._others: dict[Hashable, Event] = {}

    def mark(self, events: Sequence[Event], tail: int, head: int) -> None:
        """Take `events`, which came after all others; the log holds those from `tail` on."""
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
    """Those of the events that `waiting` holds, the newest first, which are to be sent.

    The newest of each key, and all without one; besides, one older event of a key of which
    something waits since `kept[key]`, and that was not sent for `patience` seconds: the
    order stays, so that a key which changes all the time would never have its turn.
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
