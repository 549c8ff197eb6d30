"""One connection to the gateway: Socket.IO over a WebSocket, for a program with one thread.

python-socketio would write each event anew; here they leave as they were recorded, many at a time.
"""

from __future__ import annotations

import os
import select
import socket
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

import orjson

from gateway.engineio.packet import CLOSE as CLOSE_PACKET
from gateway.engineio.packet import OPEN, PING, PONG
from gateway.replay.frames import BINARY, CLOSE, TEXT, Frame, frame, split
from gateway.replay.frames import PING as PING_FRAME
from gateway.replay.frames import PONG as PONG_FRAME
from gateway.socketio.packet import PacketType, header

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PATIENCE: Final = 10.0
"""Seconds in which the gateway must answer the handshake."""
CHUNK: Final = 1 << 16
MOST_HEAD: Final = 1 << 14
"""Bytes of an answer's head."""
FILTER: Final[dict[str, Any]] = {"events": [], "snapshot": False}
"""What we send to join: we hear none of the events of others."""
_EVENT: Final = header(PacketType.EVENT, "/")
_CONNECTED: Final = header(PacketType.CONNECT, "/")
_ACK: Final = header(PacketType.ACK, "/")


class LostError(Exception):
    """The connection is gone, or there was none; the text says why."""


class Connection:
    """Joined to the namespace `/` when it is made.  Whatever fails raises LostError.

    `address` is the gateway's URL; its query goes with the request.
    """

    def __init__(self, address: str) -> None:
        self._waiting = bytearray()
        self._read = b""
        self._asked = 0
        self._unanswered: list[int] = []
        try:
            self._socket = _connected(address)
        except (OSError, ValueError) as error:
            raise LostError(str(error)) from error
        try:
            self._read = _upgraded(self._socket, address)
            self._socket.setblocking(False)
            self._join()
        except (OSError, ValueError) as error:
            self._socket.close()
            raise LostError(str(error)) from error
        except BaseException:
            self._socket.close()
            raise

    @property
    def waiting(self) -> int:
        """Bytes that the system has not taken yet."""
        return len(self._waiting)

    @property
    def unanswered(self) -> int:
        """Questions without an answer."""
        return len(self._unanswered)

    def send(self, payload: bytes, attachments: Sequence[bytes] = ()) -> None:
        """Send an event: the JSON array of its name and arguments.  The next `wait` writes it."""
        if not attachments:
            self._waiting += frame(TEXT, _EVENT + payload)
            return
        head = header(PacketType.BINARY_EVENT, "/", attachments=len(attachments))
        self._waiting += frame(TEXT, head + payload)
        for each in attachments:
            self._waiting += frame(BINARY, each)

    def ask(self, name: str, question: dict[str, Any]) -> None:
        """Send a question, which comes behind all that was sent before."""
        self._asked += 1
        self._unanswered.append(self._asked)
        head = header(PacketType.EVENT, "/", self._asked)
        self._waiting += frame(TEXT, head + orjson.dumps([name, question]))

    def wait(self, seconds: float) -> list[dict[str, Any]]:
        """Write what waits, and return the answers that came; after so many seconds at most."""
        try:
            self._write()
            writers = [self._socket] if self._waiting else []
            readable, writable, _ = select.select([self._socket], writers, [], seconds)
            if writable:
                self._write()
            return list(self._answers()) if readable else []
        except (OSError, ValueError, KeyError, IndexError) as error:
            raise LostError(str(error)) from error

    def close(self) -> None:
        """Go for good; what waits is lost."""
        self._waiting.clear()
        self._waiting += frame(TEXT, header(PacketType.DISCONNECT, "/")) + frame(CLOSE, b"\x03\xe8")
        try:
            self._write()
        except OSError:
            pass
        finally:
            self._socket.close()

    def _join(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            for each in self._frames():
                if each.payload.startswith(OPEN):
                    told = header(PacketType.CONNECT, "/") + orjson.dumps(FILTER)
                    self._waiting += frame(TEXT, told)
                elif each.payload.startswith(_CONNECTED):
                    return
                elif each.payload.startswith(header(PacketType.CONNECT_ERROR, "/")):
                    raise ValueError(f"it lets us not in: {each.payload[2:].decode()}")
            self._write()
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._socket], [], [], left)[0]:
                raise ValueError("it did not let us in in time")
            self._receive()

    def _answers(self) -> Iterator[dict[str, Any]]:
        self._receive()
        for each in self._frames():
            if each.first == TEXT and each.payload.startswith(_ACK):
                id, bracket, rest = each.payload[len(_ACK) :].partition(b"[")
                self._unanswered.remove(int(id))
                answer = orjson.loads(bracket + rest)[0]
                yield answer if isinstance(answer, dict) else {}

    def _receive(self) -> None:
        data = self._socket.recv(CHUNK)
        if not data:
            raise ValueError("it closed the connection")
        self._read += data

    def _frames(self) -> Iterator[Frame]:
        """The frames that are there, but those that only keep the connection up."""
        found, self._read = split(self._read)
        for each in found:
            if each.first == CLOSE or each.payload.startswith(CLOSE_PACKET):
                raise ValueError("it ended the session")
            if each.first == PING_FRAME:
                self._waiting += frame(PONG_FRAME, each.payload)
            elif each.first == TEXT and each.payload.startswith(PING):
                self._waiting += frame(TEXT, PONG + each.payload[1:])
            else:
                yield each

    def _write(self) -> None:
        while self._waiting:
            try:
                sent = self._socket.send(memoryview(self._waiting)[: 4 * CHUNK])
            except BlockingIOError:
                return
            del self._waiting[:sent]


def _connected(address: str) -> socket.socket:
    parts = urlsplit(address)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"{address.partition('?')[0]} is no http:// URL")
    made = socket.create_connection((parts.hostname, parts.port or 80), PATIENCE)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _upgraded(connected: socket.socket, address: str) -> bytes:
    """Make a WebSocket of the connection; what came behind the answer's head."""
    parts = urlsplit(address)
    query = "&".join(filter(None, (urlencode({"EIO": 4, "transport": "websocket"}), parts.query)))
    key = b64encode(os.urandom(16)).decode()
    request = (
        f"GET /socket.io/?{query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n\r\n"
    )
    connected.sendall(request.encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        data = connected.recv(CHUNK)
        if not data or len(answer) > MOST_HEAD:
            raise ValueError("it did not answer as a gateway")
        answer += data
    head, _, rest = answer.partition(b"\r\n\r\n")
    status = head.partition(b"\r\n")[0].decode("latin-1")
    if " 101 " not in status:
        raise ValueError(f"it refused: {status}")
    return rest
