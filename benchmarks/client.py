"""A Socket.IO client that is only as much as a load generator needs: raw WebSocket frames."""

from __future__ import annotations

import os
import resource
import socket
import struct
import time
import zlib
from contextlib import suppress
from datetime import UTC, datetime

REQUEST = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
OFFER = (
    b"Sec-WebSocket-Extensions: permessage-deflate;"
    b" client_no_context_takeover; server_no_context_takeover\r\n\r\n"
)
"""The end of a request that offers compression."""
COMPRESSED = 0x40
"""The bit of a frame's first byte that says so."""
STAMP = b'"at":'
"""Before the time at which an event was sent, in nanoseconds of the monotonic clock."""


def frame(text: bytes) -> bytes:
    """`text` as a masked WebSocket message; a mask of zeros saves us the work."""
    size = len(text)
    if size < 126:
        return struct.pack("!BBI", 0x81, 0x80 | size, 0) + text
    if size < 65536:
        return struct.pack("!BBHI", 0x81, 0xFE, size, 0) + text
    return struct.pack("!BBQI", 0x81, 0xFF, size, 0) + text


def event(code: str, size: int, name: bytes = b"market_tick") -> bytes:
    """A market event of about `size` bytes, with the time in it."""
    head = b'42["%b",{"code":"%s",%s%d,"pad":"' % (
        name,
        code.encode(),
        STAMP,
        time.monotonic_ns(),
    )
    return frame(head + b"x" * max(0, size - len(head) - 3) + b'"}]')


def tick(code: str, number: int, size: int) -> bytes:
    """The trade `number` of `code`, which is in a bar, as an event of about `size` bytes."""
    trade = f'"datetime":"{datetime.now(UTC).isoformat()}","price":{number % 100},"volume":1'
    head = b'42["market_tick",{"code":"%s",%s%d,%s,"total_volume":%d,"pad":"' % (
        code.encode(),
        STAMP,
        time.monotonic_ns(),
        trade.encode(),
        number,
    )
    return frame(head + b"x" * max(0, size - len(head) - 3) + b'"}]')


class Client:
    """One connected client; `auth` is sent with CONNECT as JSON, `request` asks for the WebSocket.

    `reply` is the answer to CONNECT.
    """

    def __init__(
        self,
        port: int,
        auth: bytes = b"",
        receive_buffer: int | None = None,
        request: bytes = REQUEST,
    ) -> None:
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self._early: list[bytes] = []
        self.socket.sendall(request)
        while b"\r\n\r\n" not in self._buffer:
            self._receive()
        del self._buffer[: self._buffer.index(b"\r\n\r\n") + 4]
        self._message(b"0")
        if b"EIO=4" in request:
            self.socket.sendall(frame(b"40" + auth))
        self.reply = self._message(b"40")
        self.socket.setblocking(False)

    def _message(self, start: bytes) -> bytes:
        """The next message that begins with `start`; `read` returns those before it."""
        while True:
            messages, used = split(bytes(self._buffer), 1)
            del self._buffer[:used]
            if not messages:
                self._receive()
            elif messages[0].startswith(start):
                return messages[0]
            else:  # socket.io tells what was missed before it answers
                self._early += messages

    def _receive(self) -> None:
        data = self.socket.recv(262144)
        if not data:
            raise ConnectionError("the server hung up; see its log")
        self._buffer += data

    def read(self, kinds: tuple[bytes, ...] = (b"42",)) -> list[bytes]:
        """The whole messages that have come and begin with one of `kinds`; answers pings."""
        with suppress(BlockingIOError):
            self._receive()
        messages, used = split(bytes(self._buffer))
        del self._buffer[:used]
        messages, self._early = self._early + messages, []
        if b"2" in messages:
            self.socket.send(frame(b"3"))
        return [message for message in messages if message.startswith(kinds)]


def split(data: bytes, most: int = -1) -> tuple[list[bytes], int]:
    """The messages at the beginning of `data`, `most` at most, and how many bytes those are."""
    messages: list[bytes] = []
    at = 0
    while len(data) - at >= 2 and len(messages) != most:
        size, start = data[at + 1], at + 2
        if size == 126:
            size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
        elif size == 127:
            size, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
        if start + size > len(data):
            break
        message = data[start : start + size]
        if data[at] & COMPRESSED:
            message = zlib.decompressobj(-zlib.MAX_WBITS).decompress(message + b"\0\0\xff\xff")
        messages.append(message)
        at = start + size
    return messages, at


def raise_descriptor_limit() -> None:
    """Each client takes a descriptor."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))


def random_code() -> str:
    """A code that nobody has seen before."""
    return os.urandom(4).hex()
