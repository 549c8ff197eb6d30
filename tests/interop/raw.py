"""A WebSocket client without a library: for what has to start at once, or to join often."""

import json
import socket
import struct
from collections.abc import Iterator

from tests.patience import PATIENCE

HANDSHAKE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost:%d\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class RawClient:
    """One connection that has joined `/` with `auth`; `reply` is what CONNECT was answered."""

    def __init__(self, port: int, **auth: object) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._socket.sendall(HANDSHAKE % port)
        while b"\r\n\r\n" not in self._buffer:
            self._receive()
        self._buffer = self._buffer.partition(b"\r\n\r\n")[2]
        self.say("40" + json.dumps(auth))
        self.reply = next(text for text in self.texts() if text.startswith("40"))
        self.close = self._socket.close

    def say(self, *texts: str) -> None:
        """Send messages, in one segment."""
        pieces = []
        for data in (text.encode() for text in texts):
            size = struct.pack(">BH", 254, len(data))
            if len(data) < 126:
                size = bytes((0x80 | len(data),))
            pieces.append(b"\x81" + size + b"\0\0\0\0" + data)  # a mask of zeros changes nothing
        self._socket.sendall(b"".join(pieces))

    def emit(self, *events: tuple[object, ...]) -> None:
        """Send events, each given by its arguments, in one segment."""
        self.say(*["42" + json.dumps(arguments) for arguments in events])

    def texts(self) -> Iterator[str]:
        """Every message as it comes; ends when the connection does."""
        while True:
            while len(self._buffer) < 2:
                if not self._receive():
                    return
            size, start = self._buffer[1], 2
            if size > 125:
                start = 4 if size == 126 else 10
                while len(self._buffer) < start:
                    self._receive()
                size = int.from_bytes(self._buffer[2:start])
            while len(self._buffer) < start + size:
                if not self._receive():
                    return
            text = self._buffer[start : start + size].decode()
            self._buffer = self._buffer[start + size :]
            if text == "2":
                self.say("3")
            else:
                yield text

    def events(self) -> Iterator[list]:
        """The arguments of each event as it comes."""
        for text in self.texts():
            if text.startswith("42"):
                yield json.loads(text[2:])

    def _receive(self) -> bytes:
        data = self._socket.recv(65536)
        self._buffer += data
        return data
