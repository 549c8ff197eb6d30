"""Pings, and how long a client may be silent.

In Engine.IO 4 the server pings and a pong counts only as the answer to a ping that the
client can have received; in Engine.IO 3 the client pings.  Source: Engine.IO protocol 4,
section "Heartbeat"; protocol 3, section "Timeouts".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.engineio.packet import PING, Packet, Record

if TYPE_CHECKING:
    from gateway.engineio.deadlines import Deadline
    from gateway.engineio.session import Session

IDLE, QUEUED, AWAITING = range(3)
"""Until the next ping; the ping waits in the outbox; the client has to answer (in 3: to ping)."""

PING_RECORD = Record(Packet(PING))


class Heartbeat:
    """One session's heartbeat.

    It has one deadline at a time: packets of the client only move `_due`, and a deadline that
    comes too early is set again.
    """

    __slots__ = (
        "_deadline",
        "_deadlines",
        "_due",
        "_excused",
        "_session",
        "_settings",
        "_state",
    )

    def __init__(self, session: Session) -> None:
        self._settings = settings = session.server.settings
        self._deadlines = session.server.deadlines
        self._session: Session | None = session
        self._excused = 0.0
        if session.eio == 4:
            self._state, wait = IDLE, settings.interval
        else:
            self._state, wait = AWAITING, settings.interval + settings.timeout
        self._due = self._now + wait
        self._deadline: Deadline = self._arm(wait)

    @property
    def overdue(self) -> bool:
        """Whether the client's time is over, even if the timer did not fire yet."""
        return self._state != IDLE and self._now >= max(self._due, self._excused)

    def pinged(self) -> None:
        """The client sent its ping (Engine.IO 3)."""
        self._due = self._now + self._settings.interval + self._settings.timeout

    def ponged(self) -> None:
        """The client sent a pong; without a ping before it, it changes nothing."""
        if self._state == AWAITING:
            self._state = IDLE
            self._due = self._now + self._settings.interval

    def fetched(self) -> None:
        """The outbox was written to the client; a ping is the first packet in it."""
        if self._state == QUEUED:
            self._state = AWAITING

    def excuse(self, seconds: float) -> None:
        """The client is not read for `seconds`; after that it has half of the timeout to answer."""
        self._excused = self._now + seconds + self._settings.timeout / 2

    def expire(self, seconds: float) -> None:
        """End the session in `seconds`, whatever the client sends."""
        self._deadline.cancel()
        self._excused = 0.0
        self._state = QUEUED
        self._due = self._now + seconds
        self._deadline = self._arm(seconds)

    def stop(self) -> None:
        """The session is over: stop the timer and forget it."""
        self._deadline.cancel()
        self._session = None

    @property
    def _now(self) -> float:
        return self._deadlines.clock()

    def _arm(self, seconds: float) -> Deadline:
        return self._deadlines.call_later(seconds, self._tick)

    def _tick(self) -> None:
        now = self._now
        if now < self._due:
            self._deadline = self._arm(self._due - now)
        elif self._state != IDLE and now < self._excused:
            self._deadline = self._arm(self._excused - now)
        elif self._session is not None:  # it is: otherwise the deadline was cancelled
            if self._state == IDLE:
                self._ping(self._session, now)
            else:
                self._session.abort("ping timeout")

    def _ping(self, session: Session, now: float) -> None:
        # The timer's lateness is not added up, but after a long stop of the process
        # the client still gets half of its time.
        timeout = self._settings.timeout
        self._due = max(self._due + timeout, now + timeout / 2)
        self._state = QUEUED
        self._deadline = self._arm(min(self._due - now, self._settings.interval))
        session.say(PING_RECORD)
