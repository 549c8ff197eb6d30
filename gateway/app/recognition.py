"""Which sessions are the worker's: found out by few looks, whoever comes.

To ask the kernel takes milliseconds where the worker has many files, and every client of this
machine is somebody who could be the worker.  So one look answers for all sessions that were
asked about before it, and the next look is not sooner than `PAUSE` seconds later.  An answer
is never from a look that is older than the question: the worker may have connected since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from twisted.logger import Logger

from gateway.app.identity import identity_of
from gateway.engineio.errors import ProtocolError
from gateway.engineio.meter import BYTES, SLICE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from gateway.engineio.deadlines import Deadlines
    from gateway.engineio.interfaces import Connection
    from gateway.engineio.packet import Packet
    from gateway.engineio.session import Session

PAUSE: Final = 0.05
"""Seconds between two looks at least; a client is held as long at most."""
SHARE: Final = 10
"""The pause is at least so many times what the look before it took."""

_log = Logger(namespace="gateway")


class Recognition:
    """Decides whether sessions are the worker's.

    `evident(session)`: what can be said without a look, or None.  `look(sessions)`: those of
    them that are the worker's; None: there is no worker now, which is cheap to find.
    """

    def __init__(
        self,
        evident: Callable[[Session], bool | None],
        look: Callable[[Collection[Session]], Collection[Session] | None],
        deadlines: Deadlines,
    ) -> None:
        self._evident = evident
        self._look_at = look
        self._deadlines = deadlines
        self._next = float("-inf")
        self._undecided: WeakSet[Session] = WeakSet()
        self._waiting: list[Callable[[], object]] = []

    def owns(self, session: Session) -> bool | None:
        """Whether `session` is the worker's; None: nobody can know now."""
        evident = self._evident(session)
        if evident is not None:
            return evident
        self._undecided.add(session)
        if self._may_look:
            self._look()
        return identity_of(session).worker

    def waits(self, session: Session, then: Callable[[], object]) -> bool:
        """Whether it is not known yet who `session` is, because of a look just before.

        If so, `then` is called after the next one; it must not raise.
        """
        identity = identity_of(session)
        if identity.worker is None:
            identity.worker = self.owns(session)
        if identity.worker is not None or self._may_look:
            return False
        self._waiting.append(then)
        if len(self._waiting) == 1:
            self._deadlines.call_later(self._next - self._deadlines.clock(), self._serve)
        return True

    def is_evident(self, session: Session) -> bool:
        """Whether no look is needed to say who `session` is."""
        return self._evident(session) is not None

    @property
    def _may_look(self) -> bool:
        return self._deadlines.clock() >= self._next

    def _serve(self) -> None:
        """Look once for all who wait."""
        waiting, self._waiting = self._waiting, []
        try:
            self._look()
        except Exception:  # nobody waits for ever
            _log.failure("Looking whose connections these are")
        for then in waiting:
            then()

    def _look(self) -> None:
        asked = [session for session in self._undecided if not session.is_over]
        began = self._deadlines.clock()
        owned = self._look_at(asked)
        if owned is None:
            return
        ended = self._deadlines.clock()
        self._next = ended + max(PAUSE, SHARE * (ended - began))
        self._undecided.clear()
        for session in asked:
            identity_of(session).worker = session in owned


class Reception:
    """An Engine.IO application: another one, which hears a client once it is known who it is.

    A client of Engine.IO 3 joins without a word, so that the other one is not even told of its
    session before.
    """

    def __init__(
        self, application: Callable[[Session], Connection], recognition: Recognition
    ) -> None:
        self.application = application
        self.recognition = recognition

    def __call__(self, session: Session) -> Connection:
        if self.recognition.is_evident(session):
            return self.application(session)
        return _Guest(self, session)


class _Guest:
    """A connection that may have to wait; once its client is known, messages take no detour."""

    __slots__ = ("_connection", "_cost", "_early", "_reception", "_session", "message")

    message: Callable[[Packet], None]

    def __init__(self, reception: Reception, session: Session) -> None:
        self._reception = reception
        self._session = session
        self._connection: Connection | None = None
        self._early: list[Packet] = []
        self._cost = 0.0
        self.message = self._first
        if session.eio != 3:
            self._connection = reception.application(session)
        elif reception.recognition.waits(session, self._go_on):
            self.message = self._keep
        else:
            self._begin()

    def closed(self, reason: str) -> None:
        self._early.clear()
        if self._connection is not None:
            self._connection.closed(reason)

    def _first(self, packet: Packet) -> None:
        if self._reception.recognition.waits(self._session, self._go_on):
            self.message = self._keep
        else:
            self._begin()
        self.message(packet)

    def _keep(self, packet: Packet) -> None:
        """Keep what comes meanwhile: as much as is done for a client in a turn, and no more.

        Honest clients wait for the answer to their first message.
        """
        if self._cost >= SLICE:
            raise ProtocolError("too much came before the answer to CONNECT")
        self._cost += 1 + len(packet.data) / BYTES
        self._early.append(packet)

    def _begin(self) -> Connection:
        connection = self._connection or self._reception.application(self._session)
        self._connection, self.message = connection, connection.message
        return connection

    def _go_on(self) -> None:
        """Hear what was kept; whose fault an error is, is treated as on any transport."""
        if self._session.is_over:
            return
        early, self._early = self._early, []
        try:
            connection = self._begin()
            for packet in early:
                if self._session.is_open:
                    connection.message(packet)
        except ProtocolError as error:
            self._session.abort(error.reason)
        except Exception:
            _log.failure("Hearing a client that had to wait")
            self._session.abort("server error")
