"""Which position of a gateway's own log is which place of the log that the gateways share.

A place is an epoch and a number.  Most of the time both logs have the same events.  But marks and
notes have places and are no events; and what a gateway told its own clients while the shared log
did not answer stands in its log before it gets places, or has none.  So the mapping is a list of
*runs*: stretches of events that follow one another in both.

    shared   ... 40 41 42 43 | 44 (a mark) | 45 46 ...
    own      ... 40 41 42 43 |             | 44 45 ...      run (45 -> 44)

Runs of what was told *early*, before it had a place, are kept beside them: events behind it in the
own log may be before it in the shared one.  Who comes back gets those of them that are behind its
place first, perhaps a second time, and then goes on at its place.

Clients are told the offset `EPOCH.SHIFT-POSITION`: the position in the log of their gateway, and
by how much it differs from the place; without `.SHIFT` by nothing.  So an offset says its place
to every gateway, and costs a gateway no look-up.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.relay.journal import Offset

if TYPE_CHECKING:
    from collections.abc import Callable

FORGOTTEN: Final = -1
"""Stands for every position before the first that is known."""
MANY: Final = 256
"""Runs from which on it is looked whether some can be forgotten."""

_new = tuple.__new__  # half the cost of a named tuple's own constructor


class Place(NamedTuple):
    """A place in the shared log, as the ids of its entries have it."""

    epoch: int
    number: int


class Run(NamedTuple):
    """`length` events from `place` on stand at `position` and after it."""

    place: Place
    position: int
    length: int

    @property
    def end(self) -> Place:
        """The place behind it."""
        return Place(self.place.epoch, self.place.number + self.length)

    @property
    def last(self) -> Place:
        """The place of its last event."""
        return Place(self.place.epoch, self.place.number + self.length - 1)


class Places:
    """The mapping of one namespace.

    `unplaced()` is the position of the oldest event that was told early and has no place yet; None:
    there is none.
    """

    def __init__(self, unplaced: Callable[[], int | None] = lambda: None) -> None:
        self._unplaced = unplaced
        self._runs: list[Run] = []
        self._firsts: list[Place] = []  # of each run
        self._early: deque[Run] = deque()
        self._skipped: dict[int, int] = {}
        """By epoch, up to where events stand in the own log that it has by other places."""
        self.read = Place(0, 0)
        """Up to where the shared log was read."""
        self._ends: dict[int, int] = {}
        """By epoch, up to where it was read."""

    def begin(self, place: Place, position: int) -> None:
        """Know nothing but that the log was read up to `place`, where the own is at `position`."""
        self._runs = [Run(place, position, 0)]
        self._firsts = [place]
        self._early.clear()
        self._skipped = {}
        self._ends = {}
        self.passed(place)

    def passed(self, place: Place) -> None:
        """All before `place` was read."""
        self.read = place
        self._ends[place.epoch] = place.number

    def name(self, place: Place, position: int) -> str:
        """What stands before `-POSITION` in the offset of the event at `position`."""
        shift = place.number - position
        return f"{place.epoch}.{shift}" if shift else str(place.epoch)

    def follow(self, place: Place, position: int, length: int) -> None:
        """`length` events, newer than all others, have the places from `place` on."""
        last = self._runs[-1]
        if (
            last.place.epoch == place.epoch
            and last.place.number + last.length == place.number
            and last.position + last.length == position
        ):
            self._runs[-1] = _new(Run, (last.place, last.position, last.length + length))
            return
        self._runs.append(Run(place, position, length))
        self._firsts.append(place)

    def follow_early(self, place: Place, position: int) -> None:
        """The event at `position`, which was told early, has this place now."""
        if self._early:
            last = self._early[-1]
            if last.end == place and last.position + last.length == position:
                self._early[-1] = last._replace(length=last.length + 1)
                return
        self._early.append(Run(place, position, 1))

    def skip(self, place: Place) -> None:
        """What stands before `place` in its epoch is in the own log by places of an older one."""
        self._skipped[place.epoch] = place.number

    def forget(self, tail: int) -> None:
        """Forget runs that end before the position `tail`, when there are many."""
        while self._early and self._is_behind(self._early[0].last, tail):
            self._early.popleft()
        if len(self._runs) < MANY:
            return
        gone = bisect_right(self._runs, tail, key=lambda run: run.position + run.length)
        gone = min(gone, len(self._runs) - 1)
        del self._runs[:gone], self._firsts[:gone]
        first = self._firsts[0].epoch
        self._ends = {epoch: end for epoch, end in self._ends.items() if epoch >= first}

    def _is_behind(self, place: Place, tail: int) -> bool:
        """Whether also what was told in its turn after `place` is forgotten, in part at least."""
        found = self._at_or_after(place)
        return found is not None and found < tail

    def place(self, position: int) -> Place:
        """The place of the event at `position`, or of the next one that has one."""
        at = bisect_right(self._runs, position, key=lambda run: run.position) - 1
        if at >= 0:
            (epoch, number), first, length = self._runs[at]
            if position < first + length:
                return Place(epoch, number + position - first)
        return self._firsts[at + 1] if at + 1 < len(self._firsts) else self.read

    def number(self, position: int) -> int:
        """The number of the place of `position`, which may be before all that is known."""
        first = self._runs[0]
        if position < first.position:
            return first.place.number + position - first.position
        return self.place(position).number

    # -- what the relay asks ---------------------------------------------------------------

    def offset(self, position: int) -> Offset:
        """The offset of `position`."""
        place = self.place(position)
        return Offset(str(place.epoch), place.number)

    def position(self, offset: Offset) -> int | None:
        """The position of the first event at the place that `offset` says, or after it.

        `FORGOTTEN`: it is before all that is known; None: it is not in what was read of the log, or
        what comes after it is not to be found by its place.
        """
        place = _place_of(offset)
        if place is None or place.number < self._skipped.get(place.epoch, 0):
            return None
        return self._at_or_after(place)

    def since(self, offset: Offset, position: int) -> int:
        """Where the first of the early events stands that are at this place, or after it.

        `position`, where that of `offset` is, if there is none before.
        """
        place, first, unplaced = _place_of(offset), position, self._unplaced()
        if unplaced is not None:
            first = min(first, unplaced)
        for run in self._early:
            if place is not None and run.end > place:
                passed = place.number - run.place.number if place > run.place else 0
                first = min(first, run.position + passed)
        return first

    def awaits(self, offset: Offset) -> bool:
        """Whether its place is behind all that was read."""
        place = _place_of(offset)
        return place is not None and place >= self.read

    def _at_or_after(self, place: Place) -> int | None:
        """The position of the first event at `place`, or after it, that was told in its turn."""
        at = bisect_right(self._firsts, place) - 1
        if at < 0:
            return FORGOTTEN if self._runs else None
        run = self._runs[at]
        passed = place.number - run.place.number
        if run.place.epoch == place.epoch and passed < run.length:
            return run.position + passed
        if place.number > self._ends.get(place.epoch, FORGOTTEN):
            return None
        if at + 1 < len(self._runs):
            return self._runs[at + 1].position
        return run.position + run.length


def _place_of(offset: Offset) -> Place | None:
    """What `offset` says; None: it is none of these."""
    epoch, _, shift = offset.epoch.partition(".")
    try:
        return Place(int(epoch), offset.position + int(shift or 0))
    except ValueError:
        return None
