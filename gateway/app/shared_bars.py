"""Has the bars of a gateway be those of the other gateways of its cluster.

All gateways make the same bars of the same log.  One that was away lacks what was said meanwhile,
and one that is new lacks all of it; so each asks another one for it when it has read the log.
The minute in which it came is heard whole only elsewhere: once that is over, it asks again, and
also whenever it was not told all: no bar says that others are missing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from twisted.logger import Logger

from gateway.cluster.questions import UnansweredError
from gateway.history.bar_page import Page, Wish

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from gateway.cluster.questions import Questions
    from gateway.history.bar_exchange import BarExchange

BARS: Final = "bars"
"""The question for a page of them."""
MINUTE: Final = 60
SETTLED: Final = 3
"""Seconds after its end from which on a minute is the same everywhere."""
MEET: Final = 5.0
"""Seconds in which gateways get to know each other."""
LATER: Final = MINUTE + SETTLED + MEET
"""Seconds until the minute is over in which a gateway came."""

_log = Logger(namespace="gateway.cluster")


class SharedBars:
    """Asks for the bars that this gateway lacks, and answers others; `look` is called every second.

    `whom()` is a gateway that can be asked, "" for none.  `clock` and `wall` are in seconds, `wall`
    since 1970.
    """

    def __init__(
        self,
        exchange: BarExchange,
        questions: Questions,
        whom: Callable[[], str],
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._exchange = exchange
        self._questions = questions
        self._whom = whom
        self._clock = clock
        self._wall = wall
        self._since: int | None = None
        """From when on bars may be missing here; None: none are."""
        self._due: list[float] = []
        """When others are asked."""
        self.filled = 0
        """Bars that others have told."""
        questions.handlers[BARS] = self._asked

    def attached(self, _: int) -> None:
        """The log was read: what was said before this moment has been in no bar here."""
        self._exchange.missed().addCallbacks(self._missed, _failed)

    def look(self) -> None:
        """Ask if it is time for that, and somebody is known."""
        now, whom = self._clock(), self._whom()
        due = sum(at <= now for at in self._due)
        if not due or not whom:
            return
        del self._due[:due]
        if self._since is not None:
            self._wish(whom, Wish(self._since, int(self._wall()) - SETTLED - MINUTE + 1))

    # -- asking --------------------------------------------------------------------------------

    def _missed(self, newest: float) -> None:
        since = int(newest) // MINUTE * MINUTE
        self._since = since if self._since is None else min(since, self._since)
        now = self._clock()
        self._due = [now + MEET, now + LATER]

    def _wish(self, whom: str, wish: Wish) -> None:
        asked = self._questions.ask(whom, BARS, msgspec.to_builtins(wish))
        asked.addCallback(partial(self._told, whom, wish))
        asked.addErrback(self._again)

    def _again(self, failure: Failure) -> None:
        """They were not told, or not all of them: ask once more, if that is not due anyway."""
        _failed(failure)
        if not self._due:
            self._due = [self._clock() + LATER]

    def _told(self, whom: str, wish: Wish, told: Any) -> Deferred[None]:
        if not isinstance(told, dict) or "problem" in told:
            raise UnansweredError(f"gateway {whom} can't tell its bars: {told}")
        page = msgspec.convert(told, Page)
        self.filled += sum(map(len, page.bars.values()))
        done = self._exchange.take(page)
        return done.addCallback(lambda _: self._next(whom, wish, page))

    def _next(self, whom: str, wish: Wish, page: Page) -> None:
        if page.after is not None:
            self._wish(whom, msgspec.structs.replace(wish, after=page.after))
            return
        self._since = wish.end - MINUTE if self._due else None
        if self.filled:
            _log.info("{count} bars of other gateways are here", count=self.filled)

    # -- answering -----------------------------------------------------------------------------

    def _asked(self, _: str, value: Any) -> Deferred[Any]:
        wish = msgspec.convert(value, Wish)
        answer: Deferred[Any] = self._exchange.tell(wish)
        return answer.addCallbacks(msgspec.to_builtins, _problem)


def _problem(failure: Failure) -> dict[str, str]:
    """An error is an answer, too."""
    return {"problem": failure.getErrorMessage()}


def _failed(failure: Failure) -> None:
    """Nothing depends on it: what is missing is asked for again."""
    _log.warn("The bars of other gateways are not here: {why}", why=failure.getErrorMessage())
