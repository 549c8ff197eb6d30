"""What the log says of events and clients: few lines, however many there are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.interfaces import Connection
    from gateway.engineio.session import Session

_SHOWN: Final = 8
_NAME_LENGTH: Final = 64


class EventCounts:
    """Call it with the name of events and their number.

    It logs one line of sums for ten seconds, never payloads.

    `call_later(seconds, callback)` is that of the deadlines.  The caller bounds the number of
    names, as they come from outside, and gives `other` for the rest.
    """

    _log = Logger()

    def __init__(self, call_later: Callable[..., object], seconds: float = 10) -> None:
        self._call_later = call_later
        self._seconds = seconds
        self._counts: Counter[str] = Counter()
        self._before: Counter[str] = Counter()

    def __call__(self, name: str, times: int = 1) -> None:
        if not self._counts:
            self._call_later(self._seconds, self._report)
        self._counts[name] += times

    def finish(self) -> None:
        """Log what was counted after the last line: the gateway ends."""
        self._report("less than ")

    def totals(self) -> Counter[str]:
        """Counts since the start."""
        return self._before + self._counts

    def _report(self, how: str = "") -> None:
        if not self._counts:
            return  # said already
        self._before = self.totals()
        counts, self._counts = self._counts, Counter()
        total = counts.total()
        del counts["other"]
        shown = counts.most_common(_SHOWN)
        rest = total - sum(count for _, count in shown)
        names = ", ".join(f"{name[:_NAME_LENGTH]} {count}" for name, count in shown)
        self._log.info(
            "{total} events in {how}{seconds:g} s: {names}{rest}",
            tag="Relay",
            total=total,
            how=how,
            seconds=self._seconds,
            names=names,
            rest=f", other {rest}" if rest else "",
        )


# -- Clients that come or go: a line for each, with a limit.

_log = Logger(namespace="gateway")

MAX_LINES: Final = 20
PERIOD: Final = 10.0
"""At most so many lines in so many seconds; of the others only the number is logged."""


class SessionLog:
    """An Engine.IO application that logs the sessions of `application`.

    `call_later(seconds, callback)` is that of the deadlines.
    """

    def __init__(
        self, application: Callable[[Session], Connection], call_later: Callable[..., object]
    ) -> None:
        self._application = application
        self._call_later = call_later
        self._lines = 0
        self._count = 0

    def __call__(self, session: Session) -> Connection:
        connection = self._application(session)
        self._count += 1
        self._tell("{who} connected by {how} ({count} now)", session)
        return _LoggedConnection(self, session, connection)

    def left(self, session: Session, reason: str) -> None:
        """The session is over."""
        self._count -= 1
        self._tell("{who} by {how} is gone: {reason} ({count} now)", session, reason=reason)

    def _tell(self, words: str, session: Session, **fields: object) -> None:
        if not self._lines:
            self._call_later(PERIOD, self._begin_anew)
        self._lines += 1
        if self._lines <= MAX_LINES:
            who = str(session.peer) if session.peer.address else "a local client"
            how = session.transport
            _log.info(words, tag="Socket", who=who, how=how, count=self._count, **fields)

    def _begin_anew(self) -> None:
        more, self._lines = self._lines - MAX_LINES, 0
        if more > 0:
            _log.info(
                "{more} more came or went in {seconds:g} s ({count} now)",
                tag="Socket",
                more=more,
                seconds=PERIOD,
                count=self._count,
            )


class _LoggedConnection:
    """A connection whose end is logged; its messages go straight to the application."""

    __slots__ = ("_connection", "_session", "_sessions", "burst", "message")

    def __init__(self, sessions: SessionLog, session: Session, connection: Connection) -> None:
        self.message = connection.message
        self.burst = connection.burst
        self._connection = connection
        self._session = session
        self._sessions = sessions

    def closed(self, reason: str) -> None:
        self._sessions.left(self._session, reason)
        self._connection.closed(reason)
