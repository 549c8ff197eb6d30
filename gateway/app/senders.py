"""Which sessions are the worker's, and who may send as much as the worker."""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING

from gateway.app.identity import Identities, is_local, known_as_worker
from gateway.app.layers import WORKER_KEY
from gateway.app.recognition import Reception, Recognition
from gateway.web.security.addresses import is_loopback
from gateway.worker.process.connections import Connections, Ends

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from gateway.engineio.deadlines import Deadlines
    from gateway.engineio.handshake import Peer
    from gateway.engineio.interfaces import Connection
    from gateway.engineio.session import Session


class Senders:
    """Tells the worker from others, by its process's connections and by `secret`, if it is set.

    `guardian()` is the process above the worker; None: there is no worker now.
    `supervised`: whether a worker is run at all.
    """

    sessions: Mapping[str, Session]
    """All of Engine.IO's; set before the first request."""

    def __init__(
        self,
        guardian: Callable[[], int | None],
        secret: str,
        deadlines: Deadlines,
        *,
        supervised: bool,
    ) -> None:
        self.connections = Connections(guardian)
        self._recognition = Recognition(self.evident, self.owned, deadlines)
        self.identities = Identities(self._recognition.owns)
        self._secret = secret
        self._clock = deadlines.clock
        self._supervised = supervised
        self._version_3 = float("-inf")

    def received(self, application: Callable[[Session], Connection]) -> Callable[..., Connection]:
        """`application`, which hears a client once it is known whether it is the worker."""
        return Reception(application, self._recognition) if self._supervised else application

    def evident(self, session: Session) -> bool | None:
        """Whether `session` is the worker's; None: that is to be found out."""
        if not self._supervised:
            return False
        secret = session.query.get(WORKER_KEY, "")
        if self._secret and compare_digest(secret.encode(), self._secret.encode()):
            return True
        # A UNIX socket tells nothing, and needs no look.
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
        """A client that speaks Engine.IO 3 was refused: perhaps the worker, which tells nobody."""
        if is_loopback(peer.host):
            self._version_3 = self._clock()

    def spoke_version_3(self, seconds: float) -> bool:
        """Whether a client of this machine was refused for that in the last `seconds`."""
        return self._clock() - self._version_3 < seconds

    def is_exempt(self, session: Session) -> bool:
        """Whether `session` may send at any rate: the worker, or who takes its place."""
        if not self._supervised:
            return is_local(session.peer) or self.identities.may_publish(session)
        return self.is_publisher(session)

    def is_publisher(self, session: Session) -> bool:
        """Whether `session` may send messages as large as the worker's."""
        return self.identities.may_publish(session) or self.identities.is_worker(session)


def _ends(session: Session) -> Ends:
    host, port, ours, *_ = session.peer
    return Ends(ours, (host, port))
