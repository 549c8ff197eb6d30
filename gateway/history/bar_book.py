"""The bars of one source: what is being built, what is kept, and which codes are one contract."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from gateway.history.bar_file import is_damage
from gateway.history.bar_page import MOST_ROWS, Page
from gateway.history.bar_query import Stretch, answer
from gateway.history.bar_store import BROKER, BarStore
from gateway.history.bars import BarBuilder, KeptBar, TooManyCodesError
from gateway.market.hours import market_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gateway.history.bar_page import Wish
    from gateway.history.bar_query import Answer, BarQuestion
    from gateway.history.trades import BrokerBar, Tick
    from gateway.market.hours import Calendar

MOST_CODES: Final = 5000
MOST_HELD: Final = 200_000
"""Bars that wait for a file that can't be written; each takes about 300 bytes."""
MOST_STRETCHES: Final = 100
"""Contracts, one after the other, for which one code may stand."""


class BarBook:
    """Builds and keeps the bars of one source; `path` None: in memory alone.

    `on_problem(text)` tells people that something is wrong with the file; an empty text: no longer.
    Used on one thread.
    """

    def __init__(
        self,
        calendar: Calendar,
        path: Path | None,
        on_problem: Callable[[str], object],
        *,
        mark: str = "",
    ) -> None:
        self.mark = mark
        self.builder = BarBuilder(calendar.session_span, most_codes=MOST_CODES)
        self.kept = self.filled = self.lost = self.errors = 0
        """Bars that were written, filled in from the broker, given up; failures of the file."""
        self._calendar = calendar
        self._path = path
        self._on_problem = on_problem
        self._problem = ""
        self._store: BarStore | None = None
        self._stretches: dict[str, list[Stretch]] = {}
        self._renamed: dict[tuple[str, int], str] = {}

    # -- what comes -------------------------------------------------------------------------

    def trade(self, tick: Tick) -> bool:
        """Add a tick; False: it changes nothing.  Raises TooManyCodesError."""
        return self.builder.trade(tick)

    def learn(self, code: str, target: str, now: float) -> None:
        """`code` stands for `target`, from the session at `now` on, or from the next one."""
        known = self._stretches.get(code)
        if known is None:
            if target in ("", code) or len(self._stretches) >= MOST_CODES:
                return
            known = self._stretches[code] = []
        elif known[-1].code == (target or code):
            return
        since = self._calendar.present_session(market_of(code), now) if known else 0
        if known and known[-1].since >= since:
            since = known.pop().since  # within one session the last word counts
        known.append(Stretch(since, target or code))
        del known[:-MOST_STRETCHES]
        self._renamed[code, since] = target or code

    def fill(self, code: str, rows: Sequence[BrokerBar]) -> None:
        """Add the broker's bars of `code`.  Raises TooManyCodesError; sqlite3.Error."""
        self._settle()
        by_code: dict[str, list[KeptBar]] = {}
        for row in rows:
            session = self.builder.session(code, row.time).opens
            kept = KeptBar(*row, session, BROKER)
            by_code.setdefault(self._contract(code, row.time), []).append(kept)
        for each, bars in by_code.items():
            self._fill(each, bars)

    def _settle(self) -> BarStore:
        """Write all; which minutes are doubtful since a start is to be known before more come."""
        self.flush()
        if self._store is None:
            raise OSError(self._problem)
        return self._store

    def _fill(self, code: str, bars: Sequence[KeptBar]) -> None:
        store = self._store
        assert store is not None
        if code not in store.ids and len(store.ids) >= MOST_CODES:
            raise TooManyCodesError
        self.filled += store.fill(code, bars)

    # -- what gateways of a cluster tell each other -------------------------------------------

    def page(self, wish: Wish) -> Page:
        """What was wished for.  Raises sqlite3.Error and OSError."""
        store = self._settle()
        page = Page(self.mark)
        if not wish.after:
            store.settle_all()
            page.newest = {
                code: each.last
                for code, each in self.builder.progress.items()
                if each.last >= wish.begin
            }
            page.aliases = [*store.aliases()]
        after, begin = wish.after or ("", 0)
        room = MOST_ROWS
        for code in sorted(code for code in store.ids if code >= after):
            first = max(wish.begin, begin if code == after else 0)
            found = store.page(code, first, wish.end, room)
            room -= len(found)
            if found:
                page.bars[code] = found
            if not room:
                page.after = code, found[-1].time + 1
                break
        return page

    def join(self, page: Page) -> None:
        """Have what another gateway told.  Raises TooManyCodesError, sqlite3.Error, OSError."""
        self._settle()
        for code, bars in page.bars.items():
            self._fill(code, bars)
        for code, since, target in page.aliases:
            self._join_alias(code, since, target)
        for code, last in page.newest.items():
            self.builder.heard_elsewhere(code, last)

    def _join_alias(self, code: str, since: int, target: str) -> None:
        """What we know ourselves of the same time wins."""
        if code not in self._stretches and len(self._stretches) >= MOST_CODES:
            return
        known = self._stretches.setdefault(code, [])
        if all(each.since != since for each in known):
            known.append(Stretch(since, target))
            known.sort()
            del known[:-MOST_STRETCHES]
            self._renamed[code, since] = target

    # -- the file ---------------------------------------------------------------------------

    def open(self) -> None:
        """Open the file; a failure is told, and the next call tries again."""
        try:
            self._store = store = BarStore(self._path)
        except (sqlite3.Error, OSError) as error:
            self._failed(error)
            return
        if store.file.set_aside:
            self._tell(f"{store.file.set_aside}, and a new one is begun")
        self.builder.resume(store.progress())
        self.builder.cut()
        for code, since, target in store.aliases():
            known = self._stretches.setdefault(code, [])
            if not known or known[-1].since < since:
                known.append(Stretch(since, target))

    def flush(self) -> None:
        """Write what is new."""
        if self._store is None:
            self.open()
        elif self._store.file.is_gone:
            self._tell("it was removed: a new one is begun")
            self.close()
            self.open()
        taken = self.builder.take()
        if not (taken or self._renamed or self._problem):
            return
        try:
            if self._store is None:
                raise OSError(self._problem)
            for (code, since), target in self._renamed.items():
                self._store.rename(code, since, target)
            self._store.add(taken)
        except (sqlite3.Error, OSError) as error:
            self.builder.give_back(taken)
            self._failed(error)
            self._bound()
            return
        self._renamed = {}
        self.kept += len(taken.minutes)
        self._recovered()

    def retain(self, since: float) -> None:
        """Forget what is older than `since`."""
        if self._store is None:
            return
        try:
            self._store.retain(since)
        except (sqlite3.Error, OSError) as error:
            self._failed(error)
            return
        known, progress = self._store.ids, self.builder.progress
        for code in [code for code, each in progress.items() if each.last < since]:
            if code not in known:
                del progress[code]

    def close(self) -> None:
        """Close the file."""
        if self._store is not None:
            self._store.file.close()
            self._store = None

    # -- what is asked ----------------------------------------------------------------------

    @property
    def codes(self) -> int:
        """How many codes have bars."""
        store = self._store  # the thread may close it meanwhile
        return len(store.ids if store is not None else self.builder.progress)

    @property
    def listed(self) -> list[str]:
        """The codes that have bars in the file, sorted."""
        return sorted(self._store.ids) if self._store is not None else []

    @property
    def problem(self) -> str:
        """What is wrong with the file; empty: nothing."""
        return self._problem

    def answer(self, question: BarQuestion) -> Answer | None:
        """The answer to `question`; None: the file can't be read, see `problem`."""
        if self._store is None:
            return None
        stretches = self._stretches.get(question.code, ())
        progress = self.builder.progress
        names = {question.code, *(each.code for each in stretches[-1:])}
        newest = max((progress[each].last for each in names if each in progress), default=None)
        try:
            return answer(self._store, question, stretches, newest=newest or None, mark=self.mark)
        except (sqlite3.Error, OSError) as error:
            self._failed(error)
            return None

    # -- parts ------------------------------------------------------------------------------

    def _contract(self, code: str, at: int) -> str:
        """The code under which `code` traded at the time `at`."""
        stretches = self._stretches.get(code, ())
        return next((each.code for each in reversed(stretches) if each.since <= at), code)

    def _failed(self, error: Exception) -> None:
        self.errors += 1
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if is_damage(error) and self._store is not None:
            self._store.file.discard()
            self._store = None
            self._tell("it was damaged: it is set aside, and a new one is begun")
            self.open()
            return
        if code == sqlite3.SQLITE_FULL and self._store is not None:
            with suppress(sqlite3.Error, OSError):
                self._store.make_room(0.75)
        if code == sqlite3.SQLITE_READONLY and self._store is not None:
            self.close()  # it may be another file by now
        self._tell(str(error) or type(error).__name__)

    def _tell(self, text: str) -> None:
        if text != self._problem:
            self._problem = text
            self._on_problem(text)

    def _recovered(self) -> None:
        if self._problem:
            self._problem = ""
            self._on_problem("")

    def _bound(self) -> None:
        """Give up what was held for too long, the seconds first."""
        builder = self.builder
        if len(builder.minutes) + len(builder.seconds) > MOST_HELD:
            builder.seconds = {}
        if len(builder.minutes) > MOST_HELD:
            self.lost += len(builder.minutes)
            builder.minutes = {}
            builder.cut()
