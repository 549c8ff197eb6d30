"""The Socket.IO server: an Engine.IO application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen, validators

from gateway.socketio.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.deadlines import Deadlines
    from gateway.engineio.session import Session
    from gateway.socketio.namespace import Namespace


class Server:
    """Hands every Engine.IO session to the namespaces that its client asks for.

    `limit(session)`: bytes of the largest message, where a client may send more than
    `max_payload`.  An event with all its attachments may have twice as many.
    """

    def __init__(
        self,
        settings: Settings,
        deadlines: Deadlines,
        *,
        limit: Callable[[Session], int] | None = None,
    ) -> None:
        self.settings = settings
        self.deadlines = deadlines
        self.namespaces: dict[str, Namespace] = {}
        self._limit = limit

    def of(self, name: str, namespace: Namespace) -> None:
        """Register `namespace`; raises `ValueError` for a name that no client could send."""
        if not name.startswith("/") or "," in name or "?" in name:
            raise ValueError(f"namespace {name!r}: begin with '/', and use no ',' or '?'")
        self.namespaces[name] = namespace

    def takes(self, session: Session, size: int) -> bool:
        """Whether `session` may send an event of `size` bytes, attachments included.

        `limit` is called only for sizes over twice `max_payload`.
        """
        return size <= 2 * session.server.settings.max_payload or (
            self._limit is not None and size <= 2 * self._limit(session)
        )

    def __call__(self, session: Session) -> Client:
        """The connection for a session that has just opened.

        Socket.IO 2 clients are let into `/` unasked (protocol 4, section "Connection
        to the default namespace").
        """
        client = Client(self, session)
        if session.eio == 3:
            client.connect("/", {})
        return client


# -- Settings of the Socket.IO layer.


@frozen
class Settings:
    """Times in seconds."""

    connect_timeout: float = field(default=45.0, validator=validators.gt(0))
    """How long a client may stay without any namespace."""
    attachment_timeout: float = field(default=30.0, validator=validators.gt(0))
    """How long the attachments of an event may take; at most twice that."""
