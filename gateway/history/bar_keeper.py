"""Keeps bars of what the worker tells, and answers questions for them, on a thread of its own.

    tap -> queue -> BarKeeper (thread): ticks -> BarBook -> SQLite, once a second
    question (reactor) -> queue -> BarKeeper (thread) -> answer (reactor)

Events of a demonstration, a replay or a rehearsal are kept in a book of their own, in memory.
What is answered is from the book of the newest event: with the first word of a real source
nothing of a demonstration is in any answer.
"""

from __future__ import annotations

import sqlite3
from itertools import groupby, zip_longest
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import attrs
import orjson

from gateway.common.rate import Throttle
from gateway.history.bar_book import BarBook
from gateway.history.bar_query import problem
from gateway.history.bar_questions import BarQuestions
from gateway.history.bars import TooManyCodesError, within
from gateway.history.trades import mark_of, plain_ticks, read_code, read_kbars, read_tick
from gateway.market.events import CONTRACT, KBARS, READY, TICK, WORKER_STATUS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gateway.history.bar_query import Answer, BarQuestion
    from gateway.history.event_thread import Gap
    from gateway.history.heard_event import HeardEvent
    from gateway.history.trades import Tick
    from gateway.market.hours import Calendar

FLUSH: Final = 0.9
"""Seconds between two writes, at least; events come once in a second, if they are few."""
RETAIN: Final = 3600.0
"""Seconds between two looks for what is too old."""
TOLD: Final = 600.0
"""Seconds between two log lines on events that can't be read."""
DAY: Final = 86_400
AHEAD: Final = 3600
"""Seconds that the time of a tick may be ahead of our clock."""
UNFINISHED: Final = 2
"""Seconds after the end of a minute from which on the broker's bar of it is whole."""
AT_ONCE: Final = 100
"""Ticks that are read together; one that is odd costs so many the double."""
NAMES_HEARD: Final = frozenset((TICK, KBARS, CONTRACT, READY, WORKER_STATUS))


@attrs.define
class BarCounts:
    """What became of what was told; sums since the start."""

    late: int = 0
    """Ticks that came late or twice."""
    refused: int = 0
    """Events that could not be read, or for which there was no room."""


class BarKeeper:
    """The `Duty` of the thread of bars.

    `path` is the file, `days` for how long bars are kept; with a `mark` all events have that, and
    there is no file.  `log(text)` and `on_problem(text)` are
    called in the thread: a line for the log; and what is wrong with the file, empty when it is
    well again.
    """

    def __init__(
        self,
        calendar: Calendar,
        path: Path | None,
        *,
        days: int,
        mark: str = "",
        wall: Callable[[], float],
        log: Callable[[str], object],
        on_problem: Callable[[str], object],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.counts = BarCounts()
        self.book = BarBook(calendar, None if mark else path, on_problem, mark=mark)
        """The bars of the market, or of what has the mark."""
        self._calendar = calendar
        self._days = days
        self._wall = wall
        self._log = log
        self._clock = clock
        self._marked: dict[str, BarBook] = {}
        self._mark = mark
        self._next_flush = self._next_retain = 0.0
        self.questions = BarQuestions(self._find, clock)
        """What is asked; `tick` answers it."""
        self._may_tell = Throttle(clock, TOLD)
        self._untold = 0

    # -- the duty ---------------------------------------------------------------------------

    def begin(self) -> None:
        """Open the file, and forget what is too old."""
        self.book.open()
        self._retain()

    def take(self, events: Sequence[HeardEvent]) -> None:
        """Take events of some turns."""
        heard = [
            event
            for event in events
            if event.name in NAMES_HEARD and event.trusted and event.current
        ]
        for is_tick, alike in groupby(heard, _is_tick):
            run = list(alike)
            for at in range(0, len(run), AT_ONCE):
                some = run[at : at + AT_ONCE]
                ticks = plain_ticks([_payload(event) for event in some]) if is_tick else ()
                for event, tick in zip_longest(some, ticks):
                    try:
                        self._hear(event, tick)
                    except (ValueError, OSError, sqlite3.Error, TooManyCodesError) as error:
                        self._refuse(event, error)

    def gap(self, gap: Gap) -> None:
        """Events are missing."""
        self._cut()

    def tick(self) -> float | None:
        """Write what is due, answer questions; when to call it again."""
        now = self._clock()
        if now >= self._next_retain:
            self._retain()
        is_answering = self.questions.are_due
        begin = self._clock()
        if now >= self._next_flush or is_answering:
            self._next_flush = now + FLUSH
            for book in self._books():
                book.flush()
        if is_answering:
            self.questions.answer(begin)
        if (due_in := self.questions.due_in) is not None:
            return due_in
        waits = any(book.builder.changed or book.problem for book in self._books())
        return FLUSH if waits else None

    def flush(self) -> None:
        """Write what has changed, and go on."""
        for book in self._books():
            book.flush()

    def close(self) -> None:
        """Write the last, and close the file."""
        self.flush()
        for book in self._books():
            book.close()

    # -- events -----------------------------------------------------------------------------

    def _hear(self, event: HeardEvent, tick: Tick | None) -> None:
        """Take one event; `tick` is what is in it, if that was found already."""
        if tick is not None:
            self._mark = self.book.mark
            self._trade(self.book, tick, event.wall)
            return
        name = event.name
        value = orjson.loads(_payload(event))[1:2]
        if not value or not isinstance(value[0], dict):
            raise ValueError("its argument must be an object")
        told: dict[str, Any] = value[0]
        if name == WORKER_STATUS:
            if told.get("status") == "exited":
                self._cut()
            return
        mark = self.book.mark or mark_of(told)
        self._mark = mark
        book = self.book_of(mark)
        if name == TICK:
            tick = read_tick(told)
            if tick is not None:
                self._trade(book, tick, event.wall)
        elif name == KBARS:
            rows = read_kbars(told)
            since = event.wall - self._days * DAY
            known = within(rows, since, event.wall - UNFINISHED)
            book.fill(read_code(told), list(known))
        elif name == READY:
            book.builder.cut()
        else:
            code, target = read_code(told), told.get("target_code")
            book.learn(code, target if isinstance(target, str) else "", event.wall)
            if mark:
                book.builder.forget_total(code)

    def _trade(self, book: BarBook, tick: Tick, wall: float) -> None:
        if tick.time > wall + AHEAD:
            raise ValueError("its datetime is in the future: is this machine's clock right?")
        if not book.mark and tick.time < wall - self._days * DAY:
            raise ValueError(f"its datetime is older than the {self._days} days that are kept")
        if not book.trade(tick):
            self.counts.late += 1

    def _refuse(self, event: HeardEvent, error: Exception) -> None:
        self.counts.refused += 1
        self._untold += 1
        if self._may_tell():
            why = "there are too many codes" if isinstance(error, TooManyCodesError) else error
            more = f" ({self._untold - 1} more before)" if self._untold > 1 else ""
            self._untold = 0
            self._log(f"A {event.name} is in no bar: {why}{more}")

    def _cut(self) -> None:
        for book in self._books():
            book.builder.cut()

    def missed(self) -> float:
        """Ticks were missed until now; the time of the newest one before, 0: there was none."""
        self._cut()
        return self.present.builder.newest

    # -- books ------------------------------------------------------------------------------

    def begin_anew(self) -> None:
        """Forget all bars.  Only where they have a mark: those of the market stay."""
        if self.book.mark:
            self.book.close()
            self.book = BarBook(self._calendar, None, self._log, mark=self.book.mark)
            self.book.open()

    def newest(self, code: str) -> float | None:
        """The time of the newest tick of `code`; None: there was none.  Of any thread."""
        book = self._marked.get(self._mark, self.book)
        progress = book.builder.progress.get(code)
        return progress.last or None if progress is not None else None

    @property
    def present(self) -> BarBook:
        """The bars of the newest event's source."""
        return self.book_of(self._mark)

    def book_of(self, mark: str) -> BarBook:
        """The bars of what has the mark; "": of the market."""
        if mark == self.book.mark:
            return self.book
        book = self._marked.get(mark)
        if book is None:
            book = self._marked[mark] = BarBook(self._calendar, None, self._log, mark=mark)
            book.open()
        return book

    def _books(self) -> list[BarBook]:
        return [self.book, *self._marked.values()]

    def _retain(self) -> None:
        self._next_retain = self._clock() + RETAIN
        for book in self._books():
            now = self._wall()
            if book.builder.newest:  # a clock that is far ahead costs no bar
                now = min(now, book.builder.newest)
            book.retain(now - (self._days if not book.mark else 1) * DAY)

    def _find(self, question: BarQuestion) -> Answer:
        book = self.present
        return book.answer(question) or problem(
            503, f"The bars can't be read now: {book.problem}; see the gateway's log"
        )


def _is_tick(event: HeardEvent) -> bool:
    return event.name == TICK


def _payload(event: HeardEvent) -> bytes:
    """The JSON array of its name and arguments."""
    text = event.packets[0].data
    return text[text.index(b"[") :]
