"""Which sessions are the worker's, and who may send as much as the worker.

To ask the kernel whose a connection is takes milliseconds where the worker has many files, and
every client of this machine could be the worker.  So one look-up answers for all sessions that
were asked about before it, and the next one is made `PAUSE` seconds later at the soonest.  An
answer is never from a look-up that is older than the question: the worker may have connected
since.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from twisted.logger import Logger

from gateway.app.identity import Identities, identity_of, is_local, known_as_worker
from gateway.app.layer_settings import WORKER_KEY
from gateway.common.attempt import Attempts
from gateway.engineio.errors import ProtocolError
from gateway.engineio.meter import BYTES, SLICE
from gateway.system.ends import Ends
from gateway.web.security.addresses import is_loopback
from gateway.worker.process.connections import Connections

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from gateway.engineio.deadlines import Deadlines
    from gateway.engineio.handshake import Peer
    from gateway.engineio.interfaces import Connection
    from gateway.engineio.packet import Packet
    from gateway.engineio.session import Session
    from gateway.system.system import System

PAUSE: Final = 0.05
"""Seconds between two look-ups at least; a client is held back so long at most."""
SHARE: Final = 10
"""The pause is at least so many times as long as the look-up before it took."""
LONGEST_PAUSE: Final = 0.5
"""But no longer than this: the machine may have stood still, and the worker's client
(python-socketio) takes one second without an answer to CONNECT for a failure."""

_log = Logger(namespace="gateway")


class WorkerSessions:
    """Tells the worker's sessions from others.

    It knows them by the connections of the worker's processes, and by `secret` in the URL where
    that is not empty.
    `guardian()` is the pid of the process above the worker; None: there is no worker now.
    `supervised`: whether a worker is run at all.  `system` is asked whose the connections are.
    """

    sessions: Mapping[str, Session]
    """All of Engine.IO's; set before the first request."""

    def __init__(
        self,
        guardian: Callable[[], int | None],
        secret: Callable[[], str] | None,
        deadlines: Deadlines,
        *,
        supervised: bool,
        system: System,
    ) -> None:
        self.connections = Connections(guardian, system)
        self._lookup = WorkerLookup(self.evident, self.owned, deadlines)
        self.identities = Identities(self._lookup.owns)
        self._secret = secret
        self._clock = deadlines.clock
        self._supervised = supervised
        self._version_3 = float("-inf")

    def received(self, application: Callable[[Session], Connection]) -> Callable[..., Connection]:
        """`application`, which gets a client's messages only when it is known who the client is."""
        return HoldingApplication(application, self._lookup) if self._supervised else application

    def evident(self, session: Session) -> bool | None:
        """Whether `session` is the worker's; None: only a look-up can tell."""
        if not self._supervised:
            return False
        secret = session.query.get(WORKER_KEY, "")
        known = self._secret() if secret and self._secret is not None else ""
        if known and compare_digest(secret.encode(), known.encode()):
            return True
        # Of a UNIX socket a look-up could tell nothing.
        return None if session.peer.port and _ends(session).on_loopback else False

    def owned(self, sessions: Collection[Session]) -> list[Session] | None:
        """Those of `sessions` that are the worker's; None: there is no worker now."""
        owned = self.connections.owned(map(_ends, sessions))
        if owned is None:
            return None
        return [session for session in sessions if _ends(session) in owned]

    def is_connected(self) -> bool:
        """Whether a session is the worker's; the kernel is asked once for all of them."""
        sessions: Collection[Session] = self.sessions.values()
        if any(map(known_as_worker, sessions)):
            return True
        ports = self.connections.ports()
        return any(
            session.peer.port in ports and is_loopback(session.peer.host) for session in sessions
        )

    def too_old(self, peer: Peer) -> None:
        """Note that a client of Engine.IO 3 was refused: it may be the worker."""
        if is_loopback(peer.host):
            self._version_3 = self._clock()

    def spoke_version_3(self, seconds: float) -> bool:
        """Whether a client of Engine.IO 3 on this machine was refused in the last `seconds`."""
        return self._clock() - self._version_3 < seconds

    def is_exempt(self, session: Session) -> bool:
        """Whether `session` may send at any rate: the worker, or whoever takes its place."""
        if not self._supervised:
            return is_local(session.peer) or self.identities.may_publish(session)
        return self.is_publisher(session)

    def is_publisher(self, session: Session) -> bool:
        """Whether `session` may send messages as large as the worker's."""
        return self.identities.may_publish(session) or self.identities.is_worker(session)


def _ends(session: Session) -> Ends:
    host, port, ours, *_ = session.peer
    return Ends(ours, (host, port))


class WorkerLookup:
    """Decides which sessions are the worker's, by one look-up for many of them.

    `evident(session)`: the answer that needs no look-up, or None.  `look(sessions)`: those of
    them that are the worker's; None: there is no worker now, which is cheap to find out.
    A look-up that fails decides nothing: the next one may tell.
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
        self._attempt = Attempts()
        self._next = float("-inf")
        self._undecided: WeakSet[Session] = WeakSet()
        self._waiting: list[Callable[[], object]] = []

    def owns(self, session: Session) -> bool | None:
        """Whether `session` is the worker's; None: it can't be known now."""
        evident = self._evident(session)
        if evident is not None:
            return evident
        self._undecided.add(session)
        if self._may_look:
            self._look()
        return identity_of(session).worker

    def waits(self, session: Session, then: Callable[[], object]) -> bool:
        """Whether `session` has to wait for the next look-up.

        If so, `then` is called after it; `then` must not raise.
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
        """Whether no look-up is needed for `session`."""
        return self._evident(session) is not None

    @property
    def _may_look(self) -> bool:
        return self._deadlines.clock() >= self._next

    def _serve(self) -> None:
        """Do one look-up for all that wait."""
        waiting, self._waiting = self._waiting, []
        self._look()
        for then in waiting:
            then()

    def _look(self) -> None:
        began = self._deadlines.clock()
        try:
            owned = self._look_at(self._undecided)  # not read where there is no worker
        except Exception:
            self._attempt.failed("Looking whose connections these are")
            self._wait_since(began)
            return
        if owned is None:
            return
        self._wait_since(began)
        for session in self._undecided:
            identity_of(session).worker = session in owned
        self._undecided.clear()

    def _wait_since(self, began: float) -> None:
        """Look not too soon again, after a look-up that began at `began`."""
        ended = self._deadlines.clock()
        self._next = ended + min(max(PAUSE, SHARE * (ended - began)), LONGEST_PAUSE)


class HoldingApplication:
    """An Engine.IO application that holds a client's messages back until it is known who it is.

    Then `application` gets them.  A client of Engine.IO 3 joins without a message, so that of its
    session `application` is not even told before.
    """

    def __init__(self, application: Callable[[Session], Connection], lookup: WorkerLookup) -> None:
        self.application = application
        self.lookup = lookup

    def __call__(self, session: Session) -> Connection:
        if self.lookup.is_evident(session):
            return self.application(session)
        return _HoldingConnection(self, session)


class _HoldingConnection:
    """A connection that may have to wait; afterwards messages go straight to the application."""

    __slots__ = ("_application", "_connection", "_cost", "_early", "_session", "burst", "message")

    burst: Callable[[list[bytes], int], int]
    message: Callable[[Packet], None]

    def __init__(self, application: HoldingApplication, session: Session) -> None:
        self._application = application
        self._session = session
        self._connection: Connection | None = None
        self._early: list[Packet] = []
        self._cost = 0.0
        self.burst, self.message = _none, self._first
        if session.eio != 3:
            self._connection = application.application(session)
        elif application.lookup.waits(session, self._go_on):
            self.message = self._keep
        else:
            self._begin()

    def closed(self, reason: str) -> None:
        self._early.clear()
        if self._connection is not None:
            self._connection.closed(reason)

    def _first(self, packet: Packet) -> None:
        if self._application.lookup.waits(self._session, self._go_on):
            self.message = self._keep
        else:
            self._begin()
        self.message(packet)

    def _keep(self, packet: Packet) -> None:
        """Keep what comes meanwhile, at most as much as is heard of a client in one turn.

        Clients that keep to the protocol wait for the answer to their first message.
        """
        if self._cost >= SLICE:
            raise ProtocolError("too much came before the answer to CONNECT")
        self._cost += 1 + len(packet.data) / BYTES
        self._early.append(packet)

    def _begin(self) -> Connection:
        connection = self._connection or self._application.application(self._session)
        self._connection, self.message = connection, connection.message
        self.burst = connection.burst
        return connection

    def _go_on(self) -> None:
        """Hand on what was kept.  Errors end the session, as on any transport."""
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


def _none(_: list[bytes], at: int) -> int:
    """Nobody takes several messages at once before it is known who sent them."""
    return at
