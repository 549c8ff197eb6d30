"""Who may come in through Socket.IO, and who may speak to others there."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gateway.socketio.errors import ConnectionRefused
from gateway.web.trust import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.session import Session
    from gateway.web.security import Guard
    from gateway.web.strikes import Strikes
    from gateway.web.tokens import Token


class Publish(StrEnum):
    """Whose events go to others."""

    ANY = "any"
    """Everybody's, as with the Node gateway."""
    WORKER = "worker"
    """The worker's alone."""
    TOKEN = "token"  # noqa: S105  # the name of a choice
    """The worker's, and those of clients with a token for publishing or control."""

    @classmethod
    def by_default(cls, *, tokens: bool) -> Publish:
        """What holds where nothing is said; `tokens`: whether any are set."""
        return cls.TOKEN if tokens else cls.ANY


class Admission:
    """Decides when a client connects to a namespace.

    Its token is `token` in its auth, else what came with its first request: `token` in the
    query, or a Bearer token.  `is_worker` tells the supervised worker, which needs none;
    `remember(session, token)` hears who it was; `strikes` counts wrong ones.
    """

    def __init__(
        self,
        guard: Guard,
        publish: Publish,
        is_worker: Callable[[Session], bool],
        *,
        remember: Callable[[Session, Token], None] | None = None,
        strikes: Strikes | None = None,
    ) -> None:
        self._guard = guard
        self._publish = publish
        self._is_worker = is_worker
        self._remember = remember
        self._strikes = strikes
        self.refused = 0
        """Clients that were not let in, ever."""

    def __call__(self, session: Session, auth: dict[str, Any]) -> bool:
        """Let a client in: whether it may publish, if it is not the worker.

        Raises `ConnectionRefused`.
        """
        secret = auth.get("token") or session.query.get("token", "")
        secret = secret if isinstance(secret, str) else ""
        role, delay = self._guard.token_role(secret), 0.0
        if self._strikes is not None and self._guard.is_wrong(secret):
            delay = self._strikes.wrong(session.peer.address, "Socket.IO")
        # Where everybody may look on, who guesses is refused all the same in the end.
        if (role < Role.VIEW or delay) and not self._is_worker(session):
            self.refused += 1
            raise ConnectionRefused("Unauthorized: connect with auth: {token: ...}", delay=delay)
        token = self._guard.token(secret)
        if token is not None and self._remember is not None:
            self._remember(session, token)
        if self._publish is Publish.TOKEN:
            return role >= Role.PUBLISH
        return self._publish is Publish.ANY
