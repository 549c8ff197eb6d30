"""Bars as a whole: what the gateway starts, stops, asks, and shows."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from gateway.history.bar_exchange import BarExchange
from gateway.history.bar_keeper import BarKeeper
from gateway.history.bar_query import Answer, QuestionError, problem, read_question
from gateway.history.bar_questions import Asked
from gateway.history.event_thread import EventThread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from gateway.market.hours import Calendar

PERIOD: Final = 1.0
"""Seconds for which ticks are collected; a question has all that came before it handed over."""
MOST_ASKED: Final = 64
"""Questions that wait, of all askers."""
MOST_OF_ONE: Final = 4
"""Questions of one asker that wait."""
LAST_WRITES: Final = 5.0
"""Seconds that a stop waits for the disk."""
BUSY: Final = "Too many questions for bars at once: ask again when an answer has come"
NONE_KEPT: Final = "No bars are kept: this gateway was started with --keep-bars 0"

_log = Logger(namespace="gateway.history")


@attrs.frozen(kw_only=True)
class BarSettings:
    """Where bars are kept, and for how long."""

    path: Path
    days: int = 30
    """0: no bars are kept."""
    mark: str = ""
    """`demo`, `replay` or `rehearsal`: all events are of one, whatever they say of themselves, and
    their bars are kept in memory alone."""


@attrs.frozen(kw_only=True)
class BarStatus:
    """How the bars are; sums are since the start."""

    file: str
    """"": they are kept in memory alone."""
    problem: str
    """What is wrong with the file; "": nothing."""
    codes: int
    kept: int
    """Bars of a minute, or parts of them, that were written."""
    filled: int
    """Bars of the broker that were written."""
    late: int
    """Ticks that came late or twice."""
    refused: int
    """Events that could not be read, or for which there was no room."""
    lost: int
    """Events, and bars, for which there was no room in memory."""
    errors: int
    """Failures of the file, and of the thread."""
    questions: int
    """Questions that were answered."""


class BarService:
    """Keeps bars of the events that its `tap` is called with, and answers questions.

    `reactor` has `callFromThread` and `callLater`.  Each of `listeners` is called with what is
    wrong with the file, and with "" when it is well again.
    """

    def __init__(
        self,
        settings: BarSettings,
        calendar: Calendar,
        reactor: Any,
        *,
        wall: Callable[[], float] = time.time,
        most_asked: int = MOST_ASKED,
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._most_asked = most_asked
        self._keeper = BarKeeper(
            calendar,
            settings.path,
            days=settings.days,
            mark=settings.mark,
            wall=wall,
            log=partial(self._call_from_thread, self._report),
            on_problem=partial(self._call_from_thread, self._problem_changed),
        )
        self.tap = EventThread("bars", self._keeper, self._call_from_thread, period=PERIOD)
        self.exchange = BarExchange(self._keeper, self.tap, self._call_from_thread)
        """For other gateways of a cluster."""
        self.listeners: list[Callable[[str], object]] = []
        self._asking: Counter[str] = Counter()

    def start(self) -> None:
        """Start the thread."""
        self.tap.call(self._keeper.begin)
        self.tap.start()

    def stop(self) -> Deferred[None]:
        """Write what waits; fires when it is written, or when the disk takes too long."""
        stopped: Deferred[None] = Deferred()

        def ended() -> None:
            if not stopped.called:
                stopped.callback(None)

        self.tap.stop(ended)
        late = self._reactor.callLater(LAST_WRITES, ended)
        return stopped.addCallback(lambda _: late.cancel() if late.active() else None)

    def status(self) -> BarStatus:
        """How they are."""
        book, counts = self._keeper.book, self._keeper.counts
        return BarStatus(
            file="" if self._settings.mark else str(self._settings.path),
            problem=book.problem,
            codes=book.codes,
            kept=book.kept,
            filled=book.filled,
            late=counts.late,
            refused=counts.refused,
            lost=book.lost + self.tap.lost,
            errors=book.errors + self.tap.errors,
            questions=self._keeper.questions.answered,
        )

    def newest(self, code: str) -> float | None:
        """The time of the newest tick of `code`, in seconds since 1970; None: there was none."""
        return self._keeper.newest(code)

    def begin_anew(self) -> None:
        """Forget the bars of a replay: what comes from now on is of another place of it."""
        self.tap.call(self._keeper.begin_anew)

    def ask(self, fields: Mapping[str, Any], asker: str) -> Deferred[Answer]:
        """The answer to the question that `fields` ask, see `read_question`.

        It never fails: an answer may say what is wrong.  `asker` has its share of the thread.
        A Deferred that is cancelled is not answered.
        """
        try:
            question = read_question(fields)
        except QuestionError as error:
            return succeed(problem(400, str(error)))
        if self._asking.total() >= self._most_asked or self._asking[asker] >= MOST_OF_ONE:
            return succeed(problem(503, BUSY))
        self._asking[asker] += 1

        def answered(answer: Answer) -> None:
            self._call_from_thread(done, answer)

        def done(answer: Answer) -> None:
            self._asking[asker] -= 1
            self._asking += Counter()  # forgets who asks nothing
            if not deferred.called:
                deferred.callback(answer)

        def cancelled(_: Deferred[Answer]) -> None:
            asked.is_cancelled = True

        asked = Asked(question, asker, answered)
        deferred: Deferred[Answer] = Deferred(cancelled)
        self.tap.call(lambda: self._keeper.questions.ask(asked))
        return deferred

    def _call_from_thread(self, act: Callable[..., object], *args: object) -> None:
        """Have the reactor call `act`; `callFromThread` is looked up at each call, not before."""
        self._reactor.callFromThread(act, *args)

    def _report(self, text: str) -> None:
        _log.warn("{text}", text=text)

    def _problem_changed(self, text: str) -> None:
        if text:
            _log.error("The bars in {path}: {text}", path=self._settings.path, text=text)
        else:
            _log.info("The bars in {path} are written again", path=self._settings.path)
        for listener in self.listeners:
            listener(text)


def no_ticks(code: str) -> None:
    """The `newest` of a gateway that keeps no bars: it does not know."""
    del code


def no_bars(fields: Mapping[str, Any], asker: str) -> Deferred[Answer]:
    """The `ask` of a gateway that keeps no bars."""
    del fields, asker
    return succeed(problem(404, NONE_KEPT))
