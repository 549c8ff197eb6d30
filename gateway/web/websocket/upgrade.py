"""An HTTP request becomes a WebSocket: the connection is taken over from twisted.web.

`autobahn.twisted.resource.WebSocketResource` would leave the HTTP channel registered
as the transport's producer, lose a frame that came with the request, and keep channel
and request in memory.  Source: RFC 6455, section 4.2.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper

from gateway.engineio.forms import WEBSOCKETS
from gateway.web.http.answers import EVERY_ANSWER
from gateway.web.http.channel import HttpChannel
from gateway.web.websocket.connection import WebSocketConnection
from gateway.web.websocket.deflate import ACCEPTED, Deflated, accepts
from gateway.web.websocket.odd_frames import OddFrames

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.internet.interfaces import IReactorTime
    from twisted.internet.tcp import Connection
    from twisted.web.server import Request

    from gateway.engineio.deadlines import Deadlines
    from gateway.engineio.websocket import WebSocketReceiver
    from gateway.web.websocket.allowance import Allowance

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class UpgradeError(Exception):
    """The request asks for a WebSocket in a way that RFC 6455 does not allow.

    `status` is the HTTP status to answer with, `headers` go with it.
    """

    def __init__(self, message: str, status: int = 400, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class Upgrader:
    """Turns requests into WebSocket connections."""

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorTime,
        deadlines: Deadlines,
        allowance: Allowance,
        *,
        deflate: bool = False,
    ) -> None:
        self._deadlines = deadlines
        self._deflate = deflate
        self._allowance = allowance
        most = max(allowance.max_payload, allowance.worker_payload)  # each has its own below it
        self._plain = OddFrames(reactor, deflate=False, max_payload=most)
        self._deflating = OddFrames(reactor, deflate=True, max_payload=most)

    def __call__(
        self, request: Request, connect: Callable[[WebSocketConnection], WebSocketReceiver]
    ) -> None:
        """Answer 101 and hand the connection to what `connect(sink)` returns.

        Raises `UpgradeError` before anything is written or changed.  From then on a
        failure is logged and costs the connection: there is no request to answer any more.
        """
        deflate = self._deflate and accepts(
            b",".join(request.requestHeaders.getRawHeaders(b"sec-websocket-extensions", ())).decode(
                "latin-1"
            )
        )
        answer = _answer(request, ACCEPTED.encode() if deflate else b"")
        transport, leftover = _take_over(request)
        odd_frames = self._deflating if deflate else self._plain
        connection = WebSocketConnection(self._deadlines, odd_frames, self._allowance)
        _set_protocol(transport, connection)
        connection.makeConnection(transport)
        let_go = connection.hold()  # the answer and the first packet go out in one write
        connection.write(answer)
        try:
            try:
                connection.start(connect(connection))
            finally:
                let_go()
            if deflate and connection.form is WEBSOCKETS[4, False]:  # others are sent as they are
                connection.form = Deflated(connection.form)
            transport.resumeProducing()
            if leftover:
                connection.dataReceived(leftover)
        except Exception:
            self._log.failure("A new WebSocket connection failed")
            transport.abortConnection()


def accept_key(key: bytes) -> bytes:
    """The value of Sec-WebSocket-Accept for a Sec-WebSocket-Key."""
    return b2a_base64(sha1(key + GUID, usedforsecurity=False).digest(), newline=False)


def _answer(request: Request, extensions: bytes) -> bytes:
    header = request.requestHeaders.getRawHeaders
    if request.method != b"GET" or request.clientproto != b"HTTP/1.1":
        raise UpgradeError("A WebSocket is asked for with GET and HTTP/1.1.")
    if request.requestHeaders.hasHeader(b"transfer-encoding") or header(
        b"content-length", [b"0"]
    ) != [b"0"]:
        raise UpgradeError("A request for a WebSocket has no body.")  # frames would follow it
    upgrade, connection = header(b"upgrade", ()), header(b"connection", ())
    if b"websocket" not in _tokens(upgrade) or b"upgrade" not in _tokens(connection):
        raise UpgradeError("The request must ask for an upgrade to websocket.")
    if header(b"sec-websocket-version") != [b"13"]:
        raise UpgradeError(
            "Only WebSocket version 13 is spoken here.",
            426,
            sec_websocket_version="13",
            upgrade="websocket",
            connection="Upgrade",
        )
    keys = header(b"sec-websocket-key", ())
    if len(keys) != 1 or not _is_key(keys[0].strip()):
        raise UpgradeError("Sec-WebSocket-Key must be 16 bytes in base64, once.")
    # Browsers fail a handshake that answers none of the subprotocols they ask for.
    asked = header(b"sec-websocket-protocol")
    protocol = b"" if asked is None else _first(asked)
    if protocol and not _TOKEN.fullmatch(protocol):
        raise UpgradeError("A subprotocol must be a token.")
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + EVERY_ANSWER
        + b"Sec-WebSocket-Accept: "
        + accept_key(keys[0].strip())
        + (b"\r\nSec-WebSocket-Extensions: " + extensions if extensions else b"")
        + (b"\r\nSec-WebSocket-Protocol: " + protocol if protocol else b"")
        + b"\r\n\r\n"
    )


def _tokens(lines: Sequence[bytes]) -> list[bytes]:
    """The elements of the list in the lines of a header, in lower case."""
    return [token.strip() for token in b",".join(lines).lower().split(b",")]


def _first(lines: Sequence[bytes]) -> bytes:
    """The first element that is not empty; b"": there is none."""
    tokens = [token.strip() for token in b",".join(lines).split(b",")]
    return next(filter(None, tokens), b"")


def _is_key(key: bytes) -> bool:
    try:
        return len(a2b_base64(key, strict_mode=True)) == 16
    except Base64Error:
        return False


def _take_over(request: Request) -> tuple[Connection, bytes]:
    """The transport of `request`, and the bytes that were read after the request."""
    channel: Any = request.channel
    transport: Connection = channel.transport
    transport.unregisterProducer()
    leftover: bytes = channel.clearLineBuffer()
    if isinstance(channel, HttpChannel):
        channel.release()
    # Nobody may write through the request any more; and it breaks the circle of the two.
    nobody: Any = None
    request.transport = request.channel = nobody
    return transport, leftover


def _set_protocol(transport: Any, protocol: Any) -> None:
    if isinstance(transport, ProtocolWrapper):  # TLS, and the caps on connections
        transport.wrappedProtocol = protocol
    else:
        transport.protocol = protocol
