"""All sessions of one Engine.IO endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.engineio import errors
from gateway.engineio.errors import EngineError
from gateway.engineio.handshake import (
    NOTHING,
    POLLING,
    WEBSOCKET,
    custom,
    takes_many,
    version,
    wants_base64,
)
from gateway.engineio.ids import random_id
from gateway.engineio.outbox import Outbox, Queue
from gateway.engineio.polling import PollingChannel
from gateway.engineio.probe import Probe
from gateway.engineio.session import Session
from gateway.engineio.websocket import WebSocketChannel, WebSocketChannel3

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.engineio.deadlines import Deadlines
    from gateway.engineio.handshake import Peer
    from gateway.engineio.interfaces import Connection
    from gateway.engineio.polling import Poll
    from gateway.engineio.settings import Settings
    from gateway.engineio.upload import Upload
    from gateway.engineio.websocket import WebSocketSink

SID_BYTES = 15
"""Random bytes in a session's id, which alone protects a polling session."""

OPEN_DELAY = 0.02
"""Seconds.  Engine.IO 3 clients may listen for messages only once they saw the WebSocket
open: a first packet in the same segment as the 101 would be lost on them."""

GOING_AWAY = 1001


class Bounds(Protocol):
    """How many sessions there may be; `address` is a client's (`Peer.address`)."""

    def why_full(self, address: str) -> tuple[int, str] | None:
        """HTTP status and reason if one more session is refused; None: there is room."""
        ...

    def opened(self, address: str) -> object:
        """A session was opened."""
        ...

    def closed(self, address: str) -> None:
        """A session has ended."""
        ...


class Server:
    """Opens sessions, and finds the session of a request.

    `application(session)` returns the `Connection` that gets the session's messages;
    `outbox()` makes the outbox of a session; `bounds`: how many sessions there may be.
    """

    def __init__(
        self,
        settings: Settings,
        application: Callable[[Session], Connection],
        deadlines: Deadlines,
        *,
        outbox: Callable[[], Outbox] = Queue,
        bounds: Bounds | None = None,
    ) -> None:
        self.settings = settings
        self.deadlines = deadlines
        self.sessions: dict[str, Session] = {}
        self._application = application
        self._outbox = outbox
        self._bounds = bounds
        self._closed = False

    def verify(
        self, method: str, query: Mapping[str, str], *, upgrade: bool = False
    ) -> Session | None:
        """The session that a request is for; None: it is a handshake.

        `upgrade`: the request asks to become a WebSocket.  Raises `EngineError`.
        """
        if self._closed:
            raise EngineError(errors.BAD_REQUEST, "The server is shutting down", status=503)
        if query.get("transport") not in (POLLING, WEBSOCKET):
            raise EngineError(errors.UNKNOWN_TRANSPORT)
        sid = query.get("sid")
        if sid:
            return self._verify_session(self._find(sid), method, query, upgrade=upgrade)
        if method != "GET":
            raise EngineError(errors.BAD_HANDSHAKE_METHOD)
        version(query, self.settings)
        _verify_transport(query, upgrade=upgrade)
        return None

    def admit(self, peer: Peer) -> None:
        """Check that there is room for one more session, before a handshake is answered.

        Raises `EngineError` (4) when there are too many sessions already.
        """
        refusal = self._bounds and self._bounds.why_full(peer.address)
        if refusal:
            status, reason = refusal
            raise EngineError(errors.FORBIDDEN, reason, status=status)

    def remember(self, session: Session) -> None:
        """`session` is open: requests find it by its id."""
        self.sessions[session.sid] = session
        if self._bounds is not None:
            self._bounds.opened(session.origin)

    def forget(self, session: Session) -> None:
        """`session` is over."""
        del self.sessions[session.sid]
        if self._bounds is not None:
            self._bounds.closed(session.origin)

    def poll(
        self,
        query: Mapping[str, str],
        peer: Peer,
        poll: Poll,
        *,
        agent: str = "",
        headers: Mapping[str, str] = NOTHING,
    ) -> PollingChannel:
        """Take a verified GET of the client `agent`, opening a session if it is a handshake.

        `headers` of the handshake are kept with the session.
        Returns the channel to tell when the client vanishes before it is answered.
        Raises `EngineError` (3) when the session has a pending GET already.
        """
        sid = query.get("sid")
        if sid:
            channel = _polling(self._find(sid))
        else:
            eio = version(query, self.settings)
            channel = PollingChannel(eio=eio, base64=wants_base64(query), many=takes_many(agent))
            self._open(channel, eio, query, peer, headers, WEBSOCKET)
        channel.get(poll)
        return channel

    def post(self, session: Session, peer: Peer, body: bytes, *, binary: bool) -> Upload:
        """Take a verified POST, to be received in slices.

        Raises `EngineError`, see `PollingChannel.post`.
        """
        session.peer = peer
        return _polling(session).post(body, binary=binary)

    def websocket(
        self,
        query: Mapping[str, str],
        peer: Peer,
        sink: WebSocketSink,
        headers: Mapping[str, str] = NOTHING,
    ) -> WebSocketChannel:
        """Open a session over a verified WebSocket, or let it probe the session it names.

        If there is nothing to probe, the WebSocket alone is closed.
        """
        eio = version(query, self.settings)
        kind = WebSocketChannel if eio == 4 else WebSocketChannel3
        channel = kind(sink, eio=eio, base64=wants_base64(query))
        sid = query.get("sid")
        if sid:
            self._probe(self.sessions.get(sid), channel, peer)
        elif eio == 4:
            self._open(channel, eio, query, peer, headers).room()
        else:
            session = self._open(channel, eio, query, peer, headers)
            self.deadlines.call_later(OPEN_DELAY, session.room)
        return channel

    def end_polling(self) -> bool:
        """End the sessions that poll, so that their clients come back; whether there were any.

        Each hears of it by the answer to its pending GET, or to its next one.
        """
        polling = [each for each in self.sessions.values() if each.transport == POLLING]
        for session in polling:
            session.abort("server shutting down")
        return bool(polling)

    def close(self) -> None:
        """End all sessions, and refuse new ones.

        Pending GETs are refused and WebSockets closed with 1001, so that clients connect
        again, to the next process.
        """
        self._closed = True
        for session in list(self.sessions.values()):
            session.abort("server shutting down", code=GOING_AWAY)

    def _open(
        self,
        channel: PollingChannel | WebSocketChannel,
        eio: int,
        query: Mapping[str, str],
        peer: Peer,
        headers: Mapping[str, str],
        *upgrades: str,
    ) -> Session:
        session = Session(
            self,
            self.settings.sid_prefix + random_id(SID_BYTES),
            eio,
            channel,
            outbox=self._outbox(),
            peer=peer,
            query=custom(query, self.settings.query),
            headers=headers,
        )
        channel.start(session)
        session.open(self._application, *upgrades)
        return session

    def _probe(self, session: Session | None, channel: WebSocketChannel, peer: Peer) -> None:
        if (
            session is not None
            and session.is_open
            and session.probe is None
            and isinstance(session.channel, PollingChannel)
        ):
            channel.start(Probe(session, session.channel, channel, peer))
        else:
            channel.sink.abort()  # see `Probe`

    def _find(self, sid: str) -> Session:
        session = self.sessions.get(sid)
        if session is not None and session.heartbeat.overdue:
            session.abort("ping timeout")
            session = None
        if session is None:
            raise EngineError(errors.UNKNOWN_SID)
        return session

    def _verify_session(
        self, session: Session, method: str, query: Mapping[str, str], *, upgrade: bool
    ) -> Session:
        if version(query, self.settings) != session.eio:
            raise EngineError(errors.BAD_VERSION)
        _verify_transport(query, upgrade=upgrade)
        if not upgrade and session.transport != query["transport"]:
            raise EngineError(errors.BAD_REQUEST)
        if method not in (("GET",) if upgrade else ("GET", "POST")):
            raise EngineError(errors.BAD_REQUEST, status=405)
        return session


def _verify_transport(query: Mapping[str, str], *, upgrade: bool) -> None:
    jsonp = query["transport"] == POLLING and "j" in query  # a script tag sends no Origin
    if jsonp or upgrade != (query["transport"] == WEBSOCKET):
        raise EngineError(errors.BAD_REQUEST)


def _polling(session: Session) -> PollingChannel:
    if not isinstance(session.channel, PollingChannel):
        raise EngineError(errors.BAD_REQUEST)
    return session.channel
