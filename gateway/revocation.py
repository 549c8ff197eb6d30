"""Tokens that count no longer: whoever came with one has to go."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.engineio.session import Session
    from gateway.identity import Identities
    from gateway.web.security import Guard
    from gateway.web.tokens import Token

POLICY_VIOLATION: Final = 1008
"""What a WebSocket is closed with (RFC 6455, section 7.4.1)."""

_log = Logger(namespace="gateway")


class Revocation:
    """Puts other tokens in force, and ends the sessions that they leave without one."""

    def __init__(
        self, guard: Guard, identities: Identities, sessions: Mapping[str, Session]
    ) -> None:
        self._guard = guard
        self._identities = identities
        self._sessions = sessions

    def __call__(self, tokens: Sequence[Token]) -> None:
        """`tokens` are all there are from now on."""
        was_open = not self._guard.needs_token
        self._guard.heed(tokens)
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
        """Whose session has to end; None: it may go on."""
        tokens = self._identities.tokens(session)
        for token in tokens:
            if not self._guard.is_valid(token):
                return f"token {token.name}"
        if shut and not tokens and not self._identities.is_worker(session):
            return "clients without a token"
        return None
