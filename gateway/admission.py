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


class Publish(StrEnum):
    """Whose events go to others."""

    ANY = "any"
    """Everybody's, as with the Node gateway."""
    WORKER = "worker"
    """The worker's alone."""
    TOKEN = "token"  # noqa: S105  # the name of a choice
    """The worker's, and those of clients with the control token."""


class Admission:
    """Decides when a client connects to a namespace.

    Its token is `token` in its auth, or in the query of its first request; `is_worker`
    tells the supervised worker, which needs none.
    """

    def __init__(
        self, guard: Guard, publish: Publish, is_worker: Callable[[Session], bool]
    ) -> None:
        self._guard = guard
        self._publish = publish
        self._is_worker = is_worker
        self.refused = 0
        """Clients that were not let in, ever."""

    def __call__(self, session: Session, auth: dict[str, Any]) -> bool:
        """Let a client in: whether it may publish, if it is not the worker.

        Raises `ConnectionRefused`.
        """
        token = auth.get("token") or session.query.get("token", "")
        role = self._guard.token_role(token if isinstance(token, str) else "")
        if role < Role.VIEW and not self._is_worker(session):
            self.refused += 1
            raise ConnectionRefused("Unauthorized: connect with auth: {token: ...}")
        if self._publish is Publish.TOKEN:
            return role >= Role.CONTROL
        return self._publish is Publish.ANY
