"""What is known of the client behind a session, kept with the session.

To find it out is expensive (the kernel is asked whose connection it is), and a stranger decides
how often it sends something.  So every answer is kept, also "no".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.web.security.addresses import is_loopback
from gateway.web.security.tokens import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.handshake import Peer
    from gateway.engineio.session import Session
    from gateway.web.security.tokens import Token


class Identity:
    """What is known of the client behind one session.

    `worker`: whether it is the supervised worker; None: not decided yet.  `generation`: the number
    of that worker; None: it has sent nothing yet.  `tokens`: the valid ones that it sent.
    `owner`: the address that new names of its events count for, see `WorkerEvents`.
    """

    __slots__ = ("generation", "owner", "tokens", "worker")

    def __init__(self) -> None:
        self.worker: bool | None = None
        self.generation: int | None = None
        self.owner: str | None = None
        self.tokens: tuple[Token, ...] = ()


def identity_of(session: Session) -> Identity:
    """The identity of `session`, made when it is asked for first."""
    identity: Identity | None = session.data
    if identity is None:
        identity = session.data = Identity()
    return identity


class Identities:
    """The identities of all sessions; each is kept in its session's `data`.

    `owns(session)` says whether it is the worker's; None: it can't be known now, because there
    is no worker or the next look-up (`worker_sessions.py`) is still to come.  That answer is cheap,
    so it is asked again.
    """

    def __init__(self, owns: Callable[[Session], bool | None]) -> None:
        self._owns = owns

    def of(self, session: Session) -> Identity:
        """The identity of `session`."""
        return identity_of(session)

    def is_worker(self, session: Session) -> bool:
        """Whether `session` is the worker's; decided once for each session."""
        identity: Identity | None = session.data
        if identity is None or identity.worker is None:
            identity = identity or identity_of(session)
            identity.worker = self._owns(session)
        return identity.worker is True

    def remember(self, session: Session, token: Token) -> None:
        """Note that `session` sent the valid `token`."""
        identity = identity_of(session)
        if token not in identity.tokens:
            identity.tokens += (token,)

    def tokens(self, session: Session) -> tuple[Token, ...]:
        """The valid tokens that `session` sent."""
        identity: Identity | None = session.data
        return () if identity is None else identity.tokens

    def may_publish(self, session: Session) -> bool:
        """Whether `session` has a token with which it may publish."""
        return any(token.role >= Role.PUBLISH for token in self.tokens(session))


def known_as_worker(session: Session) -> bool:
    """Whether `session` is known to be the worker's, without finding it out now."""
    identity: Identity | None = session.data
    return identity is not None and identity.worker is True


def is_local(peer: Peer) -> bool:
    """Whether a client is on this machine.

    A client behind a proxy that does not name it has the proxy's address, and counts as remote.
    """
    return is_loopback(peer.address) and not peer.passed_on
