"""A tap of the event log whose work is done by a thread: the relay never waits for it.

    end of the turn -> EventThread.collect -> hand_over (reactor) -> queue -> Duty.take (thread)

A turn costs the reactor one call of a list's own method.  What was collected is handed over, and
the thread woken, once in each period: while the thread has the interpreter an event waits, and
each time that it gets it, too, so it works seldom and without a pause.  The queue is bounded in
bytes: what does not fit is a `Gap`, which the duty gets in the place of the events.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Final, Protocol

import attrs

from gateway.common.attempt import Attempts, reason
from gateway.history.heard_event import HeardEvent, PlacedEvent

LOOK: Final = 0.1
"""Seconds between two looks whether it is time to hand over."""
MUCH: Final = 1 << 20
"""Bytes of events that are handed over before their time."""
RETRY: Final = 1.0
"""Seconds after which something that raised is tried again."""
QUEUE_BYTES: Final = 8 << 20
"""Most bytes of events that wait for the thread."""
FLUSH_PATIENCE: Final = 2.0
"""Seconds after which a disk that does not answer is waited for no longer."""
OVERHEAD: Final = 400
"""Bytes of memory that an event takes beyond its payload."""
_size_of: Final[Callable[[PlacedEvent], int]] = attrgetter("size")
FULL: Final = "more came than could be written"


@attrs.frozen
class Gap:
    """Events that are missing: how many, and when the first and the last of them came."""

    since: float
    until: float
    events: int
    reason: str = FULL


class Duty(Protocol):
    """What the thread does.  All methods are called in the thread, in the order of events.

    What raises is logged and counted, and the thread goes on: for the events that `take` was
    called with, `gap` is called.
    """

    def take(self, events: Sequence[HeardEvent]) -> None:
        """Take events of one or more turns.  It may block: others wait in the queue meanwhile."""
        ...

    def gap(self, gap: Gap) -> None:
        """Events are missing at this place."""
        ...

    def tick(self) -> float | None:
        """Do what is due.  Called after each `take`; in how many seconds again, if none comes."""
        ...

    def flush(self) -> None:
        """Write what waits, if that is possible now."""
        ...

    def close(self) -> None:
        """The end: the queue is empty."""
        ...


Work = Sequence[PlacedEvent] | Gap | Callable[[], object]
"""What waits for the thread: events, a gap, or a call."""


class EventThread:
    """A tap that hands events to a thread, which does `duty`; `name` is for the log.

    Events are collected for `period` seconds; its owner calls `look` every `LOOK`.
    `call_from_thread` is the reactor's `callFromThread`.  A duty that blocks for long has to end
    that when `stopping` is set: the same event that it was made with.  `why()` says why there is
    no room.
    """

    def __init__(
        self,
        name: str,
        duty: Duty,
        call_from_thread: Callable[..., object],
        *,
        stopping: threading.Event | None = None,
        why: Callable[[], str] = lambda: FULL,
        max_bytes: int = QUEUE_BYTES,
        period: float,
    ) -> None:
        self.dropped = 0
        """Events for which there was no room."""
        self.gaps = 0
        """How often that began."""
        self.failed = 0
        """Events with which the duty raised."""
        self.failures = 0
        """How often it raised with events."""
        self.errors = 0
        """How often it raised at all."""
        self._name = name
        self._duty = duty
        self._call_from_thread = call_from_thread
        self._stopping = stopping or threading.Event()
        self._why = why
        self._max_bytes = max_bytes
        self._period = period
        self._looks = 0
        self._collected: list[PlacedEvent] = []
        self.collect: Callable[[Sequence[PlacedEvent]], None] = self._collected.extend
        """Takes the events of one turn; to be put among `Log.taps`."""
        self.collect_one: Callable[[PlacedEvent], None] = self._collected.append
        """Takes one event; to be given to `Hub.listen`."""
        self._queue: deque[tuple[int, Work]] = deque()
        self._put = self._taken = 0  # bytes so far: each is written by one thread alone
        self._gap: Gap | None = None
        self._wake = threading.Event()
        self._attempts = Attempts()
        self._thread: threading.Thread | None = None
        self._when_ended: Callable[[], object] | None = None

    # -- on the reactor --------------------------------------------------------------------

    def look(self) -> None:
        """Hand over what was collected if it is time, or much; to be called every `LOOK`."""
        self._looks += 1
        if self._looks * LOOK >= self._period or _spanned(self._collected) >= MUCH:
            self.hand_over()

    def hand_over(self) -> None:
        """Let the thread have what was collected, as far as there is room."""
        size = _bytes_of(self._collected)
        events = self._collected[:]
        self._collected.clear()
        self._looks = 0
        if self.waiting + size > self._max_bytes:
            events, size, rest = self._parted(events)
        else:
            rest = []
        if events:
            self._put_gap()
            self._put += size
            self._append(size, events)
            self._wake.set()
        if rest:
            self._drop(rest)

    def _parted(
        self, events: list[PlacedEvent]
    ) -> tuple[list[PlacedEvent], int, list[PlacedEvent]]:
        """The first of `events`, for which there is room, their bytes, and the others.

        An event that is larger than the whole queue has room in an empty one.
        """
        room = self._max_bytes - self.waiting
        size = fitting = 0
        for event in events:
            more = size + OVERHEAD + event.size
            if more > room and (fitting or self.waiting):
                break
            size = more
            fitting += 1
        return events[:fitting], size, events[fitting:]

    def call(self, work: Callable[[], object]) -> None:
        """Have `work` called in the thread, in its place among the events.

        The caller bounds how many wait.
        """
        self.hand_over()
        self._append(0, work)
        self._wake.set()

    def _append(self, size: int, work: Work) -> None:
        self._queue.append((size, work))

    def _drop(self, events: Sequence[PlacedEvent]) -> None:
        """There is no room: what waits is older, and must come first."""
        self.dropped += len(events)
        since, until = events[0].wall, events[-1].wall
        gap = self._gap
        if gap is None:
            self.gaps += 1
            self._gap = Gap(since, until, len(events), self._why())
        else:
            self._gap = Gap(gap.since, until, gap.events + len(events), gap.reason)

    def settle(self) -> None:
        """Tell the duty of a gap after which nothing came, once all before it is done."""
        if not self.waiting and self._put_gap():
            self._wake.set()

    def _put_gap(self) -> bool:
        """Put the gap into the queue; False: there is none."""
        gap, self._gap = self._gap, None
        if gap is None:
            return False
        self._append(0, gap)
        return True

    def flush(self) -> bool:
        """Have all that came so far written; whether it was.

        Blocks, for at most `FLUSH_PATIENCE` seconds.
        """
        if self._thread is None:
            return True
        flushed = threading.Event()
        self.call(self._duty.flush)
        self.call(flushed.set)
        return flushed.wait(FLUSH_PATIENCE)

    @property
    def lost(self) -> int:
        """Events that the duty did not do."""
        return self.dropped + self.failed

    @property
    def waiting(self) -> int:
        """Bytes of events that wait for the thread."""
        return self._put - self._taken

    @property
    def is_full(self) -> bool:
        """Whether the newest events found no room."""
        return self._gap is not None

    def start(self) -> None:
        """Start the thread.  What came before waits for it."""
        # A daemon, so that a disk that never answers does not keep the process alive.
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self, when_ended: Callable[[], object]) -> None:
        """Let the thread do what waits, and end; then `when_ended` is called on the reactor."""
        if self._thread is None:
            when_ended()
            return
        self.hand_over()
        self._put_gap()
        self._when_ended = when_ended
        self._stopping.set()
        self._wake.set()

    # -- in the thread ---------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            is_last = self._stopping.is_set()
            while self._queue:
                self._work(*self._queue.popleft())
            again = self._tick()
            if is_last:
                break
            self._sleep(again)
        self._attempt(self._duty.close)
        if self._when_ended is not None:
            self._call_from_thread(self._when_ended)

    def _sleep(self, seconds: float | None) -> None:
        """Return when there is something to do, or after so many seconds."""
        self._wake.clear()  # before the look: who puts something sets it after
        if not self._queue and not self._stopping.is_set():
            self._wake.wait(seconds)

    def _work(self, size: int, work: Work) -> None:
        if isinstance(work, Gap):
            self._attempt(lambda: self._duty.gap(work))
        elif callable(work):
            self._attempt(work)
        else:
            why = self._attempt(lambda: self._duty.take(work))
            if why:
                self.failed += len(work)
                self.failures += 1
                gap = Gap(work[0].wall, work[-1].wall, len(work), why)
                self._attempt(lambda: self._duty.gap(gap))
        self._taken += size

    def _tick(self) -> float | None:
        again: list[float | None] = [RETRY]
        self._attempt(lambda: again.append(self._duty.tick()))
        return again[-1]

    def _attempt(self, act: Callable[[], object]) -> str:
        """Call `act`; why it raised, or ""."""
        try:
            act()
        except Exception as error:
            self.errors += 1
            self._call_from_thread(self._log, error)
            return reason(error)
        return ""

    def _log(self, error: Exception) -> None:
        def again() -> None:
            raise error

        self._attempts(f"The {self._name} thread", again)


# After some milliseconds an event is in no cache of the processor, and to look at each costs as
# much as to collect it: so the first and the last are asked for their places in the log.


def _spanned(events: Sequence[PlacedEvent]) -> int:
    """Bytes of memory from the first to the last of them, with what is between in the log."""
    if not events:
        return 0
    first, last = events[0], events[-1]
    return last.start - first.start + last.size + OVERHEAD


def _bytes_of(events: Sequence[PlacedEvent]) -> int:
    """Bytes of memory of all of them."""
    if events and events[-1].position - events[0].position == len(events) - 1:
        return _spanned(events)  # nothing is between that is not one of them
    return OVERHEAD * len(events) + sum(map(_size_of, events))
