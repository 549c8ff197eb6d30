"""Which sessions are the worker's, and who may send as much as the worker."""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING

from gateway.identity import Identities, is_local, known_as_worker
from gateway.layers import WORKER_KEY
from gateway.web.names import is_loopback
from gateway.worker.connections import Connections, Ends

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from gateway.engineio.handshake import Peer
    from gateway.engineio.session import Session


class Senders:
    """Tells the worker from others, by its process's connections and by `secret`, if it is set.

    `guardian()` is the process above the worker; None: there is no worker now.  `clock` gives
    seconds.  `supervised`: whether a worker is run at all.
    """

    sessions: Mapping[str, Session]
    """All of Engine.IO's; set before the first request."""

    def __init__(
        self,
        guardian: Callable[[], int | None],
        secret: str,
        clock: Callable[[], float],
        *,
        supervised: bool,
    ) -> None:
        self.identities = Identities(self.owns)
        self.connections = Connections(guardian)
        self._secret = secret
        self._clock = clock
        self._supervised = supervised
        self._version_3 = float("-inf")

    def owns(self, session: Session) -> bool | None:
        """Whether `session` is the worker's; None: there is no worker now."""
        host, port, ours, *_ = session.peer
        secret = session.query.get(WORKER_KEY, "")
        if self._secret and compare_digest(secret.encode(), self._secret.encode()):
            return True
        if not port:
            return False  # a UNIX socket tells nothing
        return self.connections.owns(Ends(ours, (host, port)))

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
