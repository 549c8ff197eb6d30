"""Autobahn reads the frames that `frames.split` calls odd.

Most connections never need it.  It is made when the first odd frame arrives, and reads
everything from then on.  A handshake with ourselves, which the peer does not see, brings it to
its open state, so that no private state of it is set.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.compress import PerMessageDeflateOfferAccept

from gateway.common.silent_logger import SilentLogger
from gateway.web.websocket.deflate import ACCEPTED

if TYPE_CHECKING:
    from twisted.internet.address import IPv4Address
    from twisted.internet.interfaces import IReactorTime

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
)

FRAGMENTS = 1000
"""Frames of a message besides one for each `FRAGMENT_SIZE` bytes; more is a flood (Autobahn counts
only bytes)."""

FRAME: Final = 2
"""The cost of a control frame or a further fragment, in units of `Meter`."""

FRAGMENT_SIZE = 32
"""Bytes that a frame of a long message has at least, on average."""

CONTROLS = 1000
"""Pings and pongs a peer may send between two messages."""

PIECES = 1000
"""Pieces of a frame that are kept before they are joined."""

LONGEST_CONTROL = 125
"""Bytes in a control frame (RFC 6455, section 5.5)."""

POLICY_VIOLATION = 1008


class FallbackOwner(Protocol):
    """The connection that Autobahn reads for, see `WebSocketConnection`."""

    def on_message(self, payload: bytes, *, binary: bool) -> None: ...
    def charge(self, units: float) -> None: ...
    def write_control(self, frame: bytes) -> None: ...
    def drop(self) -> None: ...


class Fallback(WebSocketServerProtocol):
    """Autobahn's protocol in its open state; it reads and answers for `owner`."""

    log = SilentLogger()

    def __init__(self, owner: FallbackOwner, peer: IPv4Address) -> None:
        super().__init__()
        self._owner = owner
        self._peer = peer
        self._frames = self._controls = 0

    def start(self, factory: FallbackFactory) -> None:
        """Make the handshake with ourselves."""
        self.factory = factory
        wire = _Wire(self._owner, self._peer)
        self.makeConnection(wire)
        self.dataReceived(factory.handshake)
        wire.open = True

    def dataReceived(self, data: bytes) -> None:
        if self.state != self.STATE_CLOSED:  # Autobahn would collect it for ever
            super().dataReceived(data)

    def limit(self, size: int) -> None:
        """The longest frame and message to take, in bytes."""
        self.maxFramePayloadSize = self.maxMessagePayloadSize = size

    def sendCloseFrame(
        self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False
    ) -> None:
        if code == self.CLOSE_STATUS_CODE_MESSAGE_TOO_BIG and not isReply:
            # The code says it, and the own suite of engine.io-client wants no more.
            super().sendCloseFrame(code)
        else:
            super().sendCloseFrame(code, reasonUtf8, isReply)

    def onMessageBegin(self, isBinary: bool) -> None:
        super().onMessageBegin(isBinary)
        self._frames = 0

    def onMessageFrameBegin(self, length: int) -> None:
        super().onMessageFrameBegin(length)
        self._frames += 1
        if self._frames > 1:
            self._owner.charge(FRAME)
        if self._frames > FRAGMENTS + self.message_data_total_length // FRAGMENT_SIZE:
            self._fail_connection(POLICY_VIOLATION, "too many fragments")

    def onMessageFrameData(self, payload: bytes) -> None:
        super().onMessageFrameData(payload)
        if len(self.frame_data) > PIECES:  # of one byte each they cost forty times as much
            self.frame_data = [b"".join(self.frame_data)]

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self._controls = 0
        for extension in self.websocket_extensions_in_use:
            extension._decompressor = None  # 40 KB, and the next message begins anew
        self._owner.on_message(payload, binary=isBinary)

    def onFrameData(self, payload: bytes) -> bool | None:
        frame = self.current_frame
        if frame.opcode > 7 and frame.length > LONGEST_CONTROL:
            payload = b""  # the connection failed already; Autobahn would collect it
        result: bool | None = super().onFrameData(payload)
        return result

    def onPing(self, payload: bytes) -> None:
        if self._may_control():
            super().onPing(payload)

    def onPong(self, payload: bytes) -> None:
        self._may_control()

    def _may_control(self) -> bool:
        self._controls += 1
        self._owner.charge(FRAME)
        if self._controls > CONTROLS:
            self._fail_connection(POLICY_VIOLATION, "too many control frames")
        return self._controls <= CONTROLS


class _Wire:
    """The transport that Autobahn sees; it writes nothing before the handshake is over."""

    disconnecting = False

    def __init__(self, owner: FallbackOwner, peer: IPv4Address) -> None:
        self.open = False
        self._owner = owner
        self._peer = peer

    def write(self, data: bytes) -> None:
        if self.open:
            self._owner.write_control(data)

    def loseConnection(self) -> None:
        self._owner.drop()

    abortConnection = loseConnection  # what we wrote last is to arrive

    def getPeer(self) -> IPv4Address:
        return self._peer

    getHost = getPeer

    def setTcpNoDelay(self, enabled: bool) -> None:
        """The real transport was told already."""

    def unregisterProducer(self) -> None:
        """The real transport's is our writer."""


class FallbackFactory(WebSocketServerFactory):
    """Autobahn's settings for every connection; each protocol gets its own size limit.

    `deflate`: permessage-deflate was negotiated, and a message may inflate to at most
    `max_payload` bytes.
    """

    def __init__(self, reactor: IReactorTime, *, deflate: bool, max_payload: int) -> None:
        super().__init__(reactor=reactor)
        extensions = b"Sec-WebSocket-Extensions: " + ACCEPTED.encode() + b"\r\n"
        self.handshake = HANDSHAKE + (extensions if deflate else b"") + b"\r\n"
        self.setProtocolOptions(
            failByDrop=False,  # answer with the close code before the connection goes
            echoCloseCodeReason=True,
            closeHandshakeTimeout=0,  # the owner has a deadline for both
            openHandshakeTimeout=0,
            utf8validateIncoming=True,
            requireMaskedClientFrames=True,
            autoPingInterval=0,
            perMessageCompressionAccept=partial(_accept, max_payload) if deflate else None,
        )


def _accept(max_payload: int, offers: list[Any]) -> PerMessageDeflateOfferAccept:
    return PerMessageDeflateOfferAccept(
        offers[0],
        request_no_context_takeover=True,
        no_context_takeover=True,
        max_message_size=max_payload,
    )
