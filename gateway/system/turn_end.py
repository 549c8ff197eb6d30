"""What is done at the end of the reactor's turn, when all that was ready has been read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

_log = Logger(namespace="gateway")


class TurnEnd:
    """Calls functions once, at the end of the turn in which that was asked for.

    By timed calls of `reactor`, until its polling is made part of `around`: a timed call costs ten
    calls in Python, and comes in the way of every event that comes alone.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._calls: list[Callable[[], object]] = []
        self._polls = False

    def call(self, do: Callable[[], object]) -> None:
        """Call `do` at the end of this turn; within one at the end of the next."""
        if self._polls:
            self._calls.append(do)
        else:
            self._reactor.callLater(0, do)

    def around(self, poll: Callable[[float | None], object]) -> Callable[[float | None], None]:
        """`poll`, which waits for what is ready and reads it, with the end of the turn after it.

        What timers ask for is done before it: it may wait long.
        """
        self._polls = True

        def turn(seconds: float | None) -> None:
            if self._calls:
                self._end()
            poll(0 if self._calls else seconds)
            if self._calls:
                self._end()

        return turn

    def _end(self) -> None:
        calls, self._calls = self._calls, []
        for do in calls:
            try:
                do()
            except Exception:
                _log.failure("What is done at the end of a turn failed")
