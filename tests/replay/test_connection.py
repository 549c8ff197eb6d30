"""What the player's connection sends, and what it makes of a gateway's answers."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.packet import Packet
from gateway.replay.connection import Connection, LostError
from gateway.replay.frames import CLOSE, PING, TEXT
from gateway.web.websocket.frames import split
from tests.patience import PATIENCE
from tests.replay.test_frames import unmasked

if TYPE_CHECKING:
    from collections.abc import Callable

UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
OPENED = unmasked(b'0{"sid":"a"}')
JOINED = unmasked(b'40{"sid":"b"}')


class Gateway:
    """Takes one client, does what a test says, and keeps what it read."""

    def __init__(self, serve: Callable[[Gateway], object]) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(PATIENCE)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/?worker=secret"
        self.head = self.read = b""
        self._serve = serve
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._listening, self._listening.accept()[0] as self._socket:
            self._socket.settimeout(PATIENCE)
            while b"\r\n\r\n" not in self.head:
                self.head += self._socket.recv(4096)
            self._serve(self)
            while data := self._socket.recv(65536):  # until the client has gone
                self.read += data

    def leave(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)

    def say(self, *data: bytes) -> None:
        self._socket.sendall(b"".join(data))

    def until(self, text: bytes) -> None:
        """Read until the client has said `text`; its masks are zeros."""
        while text not in self.read:
            self.read += self._socket.recv(65536)

    def end(self) -> None:
        self._thread.join(PATIENCE)


class ConnectionTests(SynchronousTestCase):
    def serve(self, serve: Callable[[Gateway], object]) -> Gateway:
        gateway = Gateway(serve)
        self.addCleanup(gateway.end)
        return gateway

    def connect(self, then: Callable[[Gateway], object]) -> tuple[Gateway, Connection]:
        def serve(gateway: Gateway) -> None:
            gateway.say(UPGRADED, OPENED)
            gateway.until(b'40{"events":[],"snapshot":false}')
            gateway.say(JOINED)
            then(gateway)

        gateway = self.serve(serve)
        connection = Connection(gateway.url)
        self.addCleanup(connection.close)
        return gateway, connection

    def test_it_joins_by_the_url_that_the_worker_is_given(self) -> None:
        gateway, _ = self.connect(lambda _: None)
        first = gateway.head.partition(b"\r\n")[0]
        wanted = b"GET /socket.io/?EIO=4&transport=websocket&worker=secret HTTP/1.1"
        self.assertEqual(first, wanted)

    def test_events_questions_and_attachments_leave_in_their_order(self) -> None:
        gateway, connection = self.connect(lambda gateway: gateway.until(b"42[3]"))
        connection.send(b'["odd", {"x" : 1.50}]')
        connection.send(b'["a",{"_placeholder":true,"num":0}]', [b"\0\1"])
        connection.ask("sjgateway:replay", {"round": 1})
        connection.send(b"[3]")
        while connection.waiting:
            connection.wait(1)
        connection.close()
        gateway.end()
        said: list[Packet] = []
        rest = gateway.read
        while rest:
            found = split(rest, 1 << 20)
            said += [Packet(each, found.first != TEXT) for each in found.messages]
            rest = rest[found.consumed :]
        self.assertEqual(
            said[1:],
            [
                Packet(b'42["odd", {"x" : 1.50}]'),
                Packet(b'451-["a",{"_placeholder":true,"num":0}]'),
                Packet(b"\0\1", binary=True),
                Packet(b'421["sjgateway:replay",{"round":1}]'),
                Packet(b"42[3]"),
                Packet(b"41"),
                Packet(b"\x03\xe8", binary=True),  # a normal close
            ],
        )

    def test_answers_are_found_among_all_else(self) -> None:
        def then(gateway: Gateway) -> None:
            gateway.until(b"422[")
            frames = (unmasked(b"2"), unmasked(b'42["python_status",{}]'), b"%c\1x" % PING)
            gateway.say(*frames, unmasked(b'432[{"paused":true}]'), unmasked(b"431[{}]"))

        gateway, connection = self.connect(then)
        connection.ask("a", {})
        connection.ask("a", {})
        self.assertEqual(connection.unanswered, 2)
        answers = []
        while connection.unanswered:
            answers += connection.wait(1)
        self.assertEqual(answers, [{"paused": True}, {}])
        connection.wait(0)  # writes the pongs
        connection.close()
        gateway.end()
        self.assertIn(unmasked(b"3")[:1] + b"\x81\0\0\0\x003", gateway.read)
        self.assertIn(b"\x8a\x81\0\0\0\0x", gateway.read)

    def test_a_connection_that_ends_is_lost(self) -> None:
        for last in (b"", b"%c\0" % CLOSE, unmasked(b"1"), b"\x81\x81\0\0\0\0x", unmasked(b"43x[")):

            def then(gateway: Gateway, last: bytes = last) -> None:
                gateway.until(b"421[")
                gateway.say(last)
                if not last:
                    gateway.leave()

            _, connection = self.connect(then)
            connection.ask("a", {})

            def wait(connection: Connection = connection) -> None:
                while True:
                    connection.wait(1)

            self.assertRaises(LostError, wait)

    def test_who_is_not_let_in_is_told_why(self) -> None:
        for said, why in (
            ((b"HTTP/1.1 403 Forbidden\r\n\r\n",), "403 Forbidden"),
            ((b"nonsense",), "did not answer as a gateway"),
            ((UPGRADED, OPENED, unmasked(b'44{"message":"Unauthorized"}')), "Unauthorized"),
            ((UPGRADED, OPENED), "closed the connection"),
        ):

            def serve(gateway: Gateway, said: tuple[bytes, ...] = said) -> None:
                gateway.say(*said)
                gateway.leave()

            gateway = self.serve(serve)
            self.assertRaisesRegex(LostError, why, Connection, gateway.url)

    def test_nobody_there_and_no_url_of_ours(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        for url in (f"http://127.0.0.1:{port}", "https://localhost", "http://"):
            self.assertRaises(LostError, Connection, url)
