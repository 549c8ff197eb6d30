"""Who may join a Socket.IO namespace, and whose events are relayed there."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from twisted.logger import Logger

from gateway.socketio.errors import ConnectionRefused
from gateway.web.security.tokens import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.app.identity import Identities
    from gateway.engineio.session import Session
    from gateway.web.security.guard import Guard
    from gateway.web.security.tokens import Token, WrongTokens


class Publish(StrEnum):
    """Whose events are relayed."""

    ANY = "any"
    """Everybody's, as with the Node gateway."""
    WORKER = "worker"
    """The worker's alone."""
    TOKEN = "token"  # noqa: S105  # the name of a choice
    """The worker's, and those of clients with a token for publishing or control."""

    @classmethod
    def by_default(cls, *, tokens: bool) -> Publish:
        """The choice without --publish; `tokens`: whether any token is set."""
        return cls.TOKEN if tokens else cls.ANY


class Admission:
    """Decides whether a client may join a namespace, and whether it may publish there.

    A client's token is `token` in its auth, else the one of its first request: `token` in the
    query, or a Bearer token.  `is_worker(session)` tells the supervised worker, which needs none.
    `remember(session, token)` is called for each valid token; `wrong_tokens` counts wrong ones.
    """

    def __init__(
        self,
        guard: Guard,
        publish: Publish,
        is_worker: Callable[[Session], bool],
        *,
        remember: Callable[[Session, Token], None] | None = None,
        wrong_tokens: WrongTokens | None = None,
    ) -> None:
        self._guard = guard
        self._publish = publish
        self._is_worker = is_worker
        self._remember = remember
        self._wrong_tokens = wrong_tokens
        self.refused = 0
        """Clients that were refused, since the start."""

    def __call__(self, session: Session, auth: dict[str, Any]) -> bool:
        """Whether the client may publish; for the worker that is not asked.

        Raises `ConnectionRefused` for a client that may not join.
        """
        secret = auth.get("token") or session.query.get("token", "")
        secret = secret if isinstance(secret, str) else ""
        role, delay = self._guard.token_role(secret), 0.0
        if self._wrong_tokens is not None and self._guard.is_wrong(secret):
            delay = self._wrong_tokens.add(session.peer.address, "Socket.IO")
        # A wrong token is refused also where no token is needed: it may be a guess.
        if (role < Role.VIEW or delay) and not self._is_worker(session):
            self.refused += 1
            raise ConnectionRefused("Unauthorized: connect with auth: {token: ...}", delay=delay)
        token = self._guard.token(secret)
        if token is not None and self._remember is not None:
            self._remember(session, token)
        if self._publish is Publish.TOKEN:
            return role >= Role.PUBLISH
        return self._publish is Publish.ANY


# -- Tokens that are revoked: sessions that used them are ended.

POLICY_VIOLATION: Final = 1008
"""Close code of a WebSocket whose token was revoked (RFC 6455, section 7.4.1)."""

_log = Logger(namespace="gateway")


class Revocation:
    """Puts a new list of tokens in force, and ends the sessions whose token is not in it."""

    def __init__(
        self, guard: Guard, identities: Identities, sessions: Mapping[str, Session]
    ) -> None:
        self._guard = guard
        self._identities = identities
        self._sessions = sessions

    def __call__(self, tokens: Sequence[Token]) -> None:
        """`tokens`: all that are valid from now on."""
        was_open = not self._guard.needs_token
        self._guard.set_tokens(tokens)
        shut = was_open and self._guard.needs_token
        ended: Counter[str] = Counter()
        for session in list(self._sessions.values()):
            name = self._lost(session, shut=shut)
            if name is not None:
                ended[name] += 1
                session.abort("its token counts no longer", code=POLICY_VIOLATION)
        for name, count in ended.items():
            _log.info("Ended {count} sessions of {name}", tag="Audit", count=count, name=name)

    def _lost(self, session: Session, *, shut: bool) -> str | None:
        """Whose session it is, for the log, if it has to end; None: it may stay."""
        tokens = self._identities.tokens(session)
        for token in tokens:
            if not self._guard.is_valid(token):
                return f"token {token.name}"
        if shut and not tokens and not self._identities.is_worker(session):
            return "clients without a token"
        return None
