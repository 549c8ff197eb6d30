"""Who is behind a session: found out once, and remembered with the session.

To find it out is dear (the kernel is asked whose connection it is), and a stranger decides
how often he says something.  So every answer is kept, a "no" too.
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
    """Who is behind one session, as far as anybody has asked.

    `worker`: whether it is the supervised worker; None: not decided yet.  `generation`: which
    of the workers, by their number; None: it has said nothing yet.  `tokens`: those that it
    brought.  `owner`: whose the names count that it invents, see `WorkerEvents`.
    """

    __slots__ = ("generation", "owner", "tokens", "worker")

    def __init__(self) -> None:
        self.worker: bool | None = None
        self.generation: int | None = None
        self.owner: str | None = None
        self.tokens: tuple[Token, ...] = ()


def identity_of(session: Session) -> Identity:
    """Who is behind `session`, as far as anybody has asked."""
    identity: Identity | None = session.data
    if identity is None:
        identity = session.data = Identity()
    return identity


class Identities:
    """The identities of all sessions; each is kept in its session's `data`.

    `owns(session)` says whether it is the worker's; None: nobody can know now, because no
    worker is there, or because it must wait for a look (`lookup.py`).  That is cheap to
    say, so it is asked again.
    """

    def __init__(self, owns: Callable[[Session], bool | None]) -> None:
        self._owns = owns

    def of(self, session: Session) -> Identity:
        """Who is behind `session`."""
        return identity_of(session)

    def is_worker(self, session: Session) -> bool:
        """Whether `session` is the worker's; decided once for each session."""
        identity: Identity | None = session.data
        if identity is None or identity.worker is None:
            identity = identity or identity_of(session)
            identity.worker = self._owns(session)
        return identity.worker is True

    def remember(self, session: Session, token: Token) -> None:
        """`session` brought `token`, which counts."""
        identity = identity_of(session)
        if token not in identity.tokens:
            identity.tokens += (token,)

    def tokens(self, session: Session) -> tuple[Token, ...]:
        """The tokens that `session` brought."""
        identity: Identity | None = session.data
        return () if identity is None else identity.tokens

    def may_publish(self, session: Session) -> bool:
        """Whether `session` brought a token with which it may publish."""
        return any(token.role >= Role.PUBLISH for token in self.tokens(session))


def known_as_worker(session: Session) -> bool:
    """Whether somebody has asked already, and `session` was found to be the worker's."""
    identity: Identity | None = session.data
    return identity is not None and identity.worker is True


def is_local(peer: Peer) -> bool:
    """Whether a client is on this machine, as far as can be told.

    Who comes through a proxy that tells nothing has the proxy's address, and is not.
    """
    return is_loopback(peer.address) and not peer.passed_on
