"""The other end of a WebSocket, down to the byte: frames to send, and what came back."""

from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN = 0x80
KEY = b"\x37\xfa\x21\x3d"

REQUEST = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
"""The key is that of RFC 6455, section 1.3."""

ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"X-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


def mask(data: bytes, key: bytes = KEY) -> bytes:
    """`data`, byte by byte as RFC 6455, section 5.3 has it."""
    return bytes(byte ^ key[index % 4] for index, byte in enumerate(data))


def header(
    size: int, opcode: int = TEXT, *, fin: bool = True, rsv: int = 0, width: int = 0
) -> bytes:
    """The first bytes of a masked frame, up to its key.

    `width`: bytes of the extended length, where it is not the shortest.
    """
    first = (FIN if fin else 0) | rsv << 4 | opcode
    width = width or (0 if size < 126 else 2 if size < 65536 else 8)
    length = {0: size, 2: 126, 8: 127}[width]
    return bytes((first, 0x80 | length)) + size.to_bytes(8, "big")[8 - width :]


def frame(
    payload: bytes = b"",
    opcode: int = TEXT,
    *,
    fin: bool = True,
    rsv: int = 0,
    width: int = 0,
    key: bytes | None = KEY,
) -> bytes:
    """One frame as a client sends it; `key=None`: not masked, which is forbidden."""
    start = header(len(payload), opcode, fin=fin, rsv=rsv, width=width)
    if key is None:
        return start[:1] + bytes((start[1] & 0x7F,)) + start[2:] + payload
    return start + key + mask(payload, key)


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    """A client's close frame."""
    return frame(b"" if code is None else code.to_bytes(2, "big") + reason, CLOSE)


def said(opcode: int, payload: bytes = b"") -> bytes:
    """One frame as a server sends it."""
    start = header(len(payload), opcode)
    return start[:1] + bytes((start[1] & 0x7F,)) + start[2:] + payload


def frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Opcode and payload of the complete frames of a server, all of which have FIN."""
    while len(data) >= 2:
        opcode, size, start = data[0] - FIN, data[1], 2
        if size > 125:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start], "big")
        if len(data) < start + size:
            return
        yield opcode, data[start : start + size]
        data = data[start + size :]


class Peer(Protocol):
    """A client over a real socket that keeps what it got."""

    def __init__(self) -> None:
        self.got = b""
        self.lost: Deferred[type[BaseException] | None] = Deferred()
        self._waiting: list[tuple[Callable[[], bool], Deferred[None]]] = []

    def dataReceived(self, data: bytes) -> None:
        self.got += data
        self._tell()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._tell()
        for _, waiter in self._waiting:
            waiter.errback(AssertionError(f"the connection went, after {self.got[-200:]!r}"))
        self.lost.callback(reason.type)

    def until(self, condition: Callable[[], bool]) -> Deferred[None]:
        """Fires as soon as `condition` holds, which is asked whenever something comes."""
        waiter: Deferred[None] = Deferred()
        self._waiting.append((condition, waiter))
        self._tell()
        return waiter

    def until_got(self, data: bytes) -> Deferred[None]:
        return self.until(lambda: data in self.got)

    def turn(self) -> Deferred[None]:
        """Fires in the reactor's next turn, when what was written is under way."""
        from twisted.internet import reactor

        return deferLater(reactor, 0)

    @property
    def frames(self) -> list[tuple[int, bytes]]:
        """The frames after the answer to the request."""
        return list(frames(self.got.partition(b"\r\n\r\n")[2]))

    def _tell(self) -> None:
        ready = [each for each in self._waiting if each[0]()]
        self._waiting = [each for each in self._waiting if each not in ready]
        for _, waiter in ready:
            waiter.callback(None)


class Recorder:
    """A channel that remembers what it was told."""

    def __init__(self, sink: Any = None) -> None:
        self.sink = sink
        self.session: Any = None
        self.heard: list[Any] = []
        self.excused: list[float] = []
        self.on_text: Callable[[bytes], object] = lambda data: None
        self.on_room: Callable[[], object] = lambda: None
        self.on_lost: Callable[[], object] = lambda: None

    def texts(self, messages: list[bytes], at: int) -> int:
        self.text(messages[at])
        return at + 1

    def text(self, data: bytes) -> None:
        self.heard.append(("text", data))
        self.on_text(data)

    def binary(self, data: bytes) -> None:
        self.heard.append(("binary", data))

    def room(self) -> None:
        self.heard.append("room")
        self.on_room()

    def excuse(self, seconds: float) -> None:
        self.excused.append(seconds)

    def lost(self) -> None:
        self.heard.append("lost")
        self.on_lost()
