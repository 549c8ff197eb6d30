"""The Socket.IO server: an Engine.IO application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.socketio.client import Client

if TYPE_CHECKING:
    from gateway.engineio.deadlines import Deadlines
    from gateway.engineio.session import Session
    from gateway.socketio.namespace import Namespace
    from gateway.socketio.settings import Settings


class Server:
    """Hands every Engine.IO session to the namespaces that its client asks for."""

    def __init__(self, settings: Settings, deadlines: Deadlines) -> None:
        self._settings = settings
        self._deadlines = deadlines
        self._namespaces: dict[str, Namespace] = {}

    def of(self, name: str, namespace: Namespace) -> None:
        """Register `namespace`; raises `ValueError` for a name that no client could send."""
        if not name.startswith("/") or "," in name or "?" in name:
            raise ValueError(f"namespace {name!r}: begin with '/', and use no ',' or '?'")
        self._namespaces[name] = namespace

    def __call__(self, session: Session) -> Client:
        """The connection for a session that has just opened.

        Socket.IO 2 clients are let into `/` unasked (protocol 4, section "Connection
        to the default namespace").
        """
        client = Client(session, self._namespaces, self._settings, self._deadlines)
        if session.eio == 3:
            client.connect("/", {})
        return client
