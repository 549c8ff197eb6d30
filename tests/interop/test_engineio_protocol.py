"""Engine.IO conformance over real sockets, case by case from the published protocol.

Sources: Engine.IO protocol 4, and protocol 3.  Every case runs with a fast heartbeat and
with a slow one, where only a rule can close a session within the test's time.
"""

import os
import sys
from pathlib import Path
from typing import Any

import treq
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.trial.unittest import TestCase
from twisted.web.client import Agent

from tests.interop.engineio import BYTES, ConformanceCase
from tests.interop.engineio_cases import Common
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]


class Output(ProcessProtocol):
    """What a process says."""

    def __init__(self) -> None:
        self.first_line: Deferred[str] = Deferred()
        self.over: Deferred[None] = Deferred()
        self._said = b""

    def outReceived(self, data: bytes) -> None:
        self._said += data
        if b"\n" in self._said and not self.first_line.called:
            self.first_line.callback(self._said.partition(b"\n")[0].decode())

    errReceived = outReceived

    def processEnded(self, reason: object) -> None:
        self.over.callback(None)

    async def stop(self) -> None:
        if not self.over.called:
            self.transport.signalProcess("TERM")
            await self.over


class Version4(Common):
    eio = 4

    def p(self, *packets: str) -> bytes:
        return "\x1e".join(packets).encode()

    def packets(self, payload: bytes) -> list[str]:
        return payload.decode().split("\x1e")

    async def test_binary_over_polling(self: Any) -> None:
        sid = await self.open_polling()
        await self.post(sid, "4hello\x1ebAQIDBA==")
        self.assertEqual(await self.get(sid), (200, b"4hello\x1ebAQIDBA=="))

    async def test_binary_over_a_websocket(self: Any) -> None:
        socket = await self.open_websocket()
        socket.say(BYTES, b"")
        self.assertEqual([await socket.received.get() for _ in range(2)], [BYTES, b""])

    async def test_a_binary_body_closes_the_session(self: Any) -> None:
        sid = await self.open_polling()
        headers = {"Content-Type": "application/octet-stream"}
        self.assertEqual((await self.post(sid, "4hello", headers=headers))[0], 400)
        await self.assert_gone(sid)

    async def test_a_client_does_not_ping(self: Any) -> None:
        socket = await self.open_websocket()
        socket.say("2")
        await socket.over
        sid = await self.open_polling()
        self.assertEqual((await self.post(sid, "2"))[0], 400)
        await self.assert_gone(sid)


class Version3(Common):
    eio = 3

    def p(self, *packets: str) -> bytes:
        return "".join(
            f"{len(packet.encode('utf-16-le')) // 2}:{packet}" for packet in packets
        ).encode()

    def packets(self, payload: bytes) -> list[str]:
        text, packets = payload.decode(), []
        while text:
            size, _, text = text.partition(":")
            packets.append(text[: int(size)])
            text = text[int(size) :]
        return packets

    async def test_base64_over_polling(self: Any) -> None:
        sid = await self.open_polling(b64="1")
        await self.post(sid, "6:4hello10:b4AQIDBA==")
        self.assertEqual(await self.get(sid), (200, b"6:4hello10:b4AQIDBA=="))

    async def test_binary_over_polling(self: Any) -> None:
        sid = await self.open_polling()
        body = bytes.fromhex("00 06 ff 34 68 65 6c 6c 6f 01 05 ff 04 01 02 03 04")
        headers = {"Content-Type": "application/octet-stream"}
        self.assertEqual(await self.post(sid, body, headers=headers), (200, b"ok"))
        self.assertEqual(await self.get(sid), (200, body))

    async def test_binary_over_a_websocket(self: Any) -> None:
        socket = await self.open_websocket()
        socket.say(b"\x04" + BYTES)
        self.assertEqual(await socket.received.get(), b"\x04" + BYTES)

    async def test_a_client_pings(self: Any) -> None:
        socket = await self.open_websocket()
        sid = await self.open_polling()
        for _ in range(3):
            socket.say("2")
            self.assertEqual(await socket.received.get(), "3")
            await self.post(sid, "1:2")
            self.assertEqual(await self.get(sid), (200, b"1:3"))


class ExampleTests(TestCase):
    timeout = 2 * PATIENCE

    async def test_the_echo_server_runs(self) -> None:
        output = Output()
        command = [sys.executable, str(ROOT / "examples" / "engineio_echo.py"), "--port", "0"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        reactor.spawnProcess(output, command[0], command, environment)
        self.addCleanup(lambda: Deferred.fromCoroutine(output.stop()))
        port = (await output.first_line).rpartition(" ")[2]
        url = f"http://127.0.0.1:{port}/engine.io/?EIO=4&transport=polling"
        response = await treq.get(url, agent=Agent(reactor))
        self.assertEqual((await response.text())[:7], '0{"sid"')


class Version4FastTests(Version4, ConformanceCase):
    async def test_pings_are_answered_over_polling(self) -> None:
        sid = await self.open_polling()
        for _ in range(3):
            ping = await self.ask("GET", self.query("polling", sid))
            self.assertEqual(ping, (200, b"2"))
            self.assertEqual(await self.post(sid, "3"), (200, b"ok"))

    async def test_pings_are_answered_over_a_websocket(self) -> None:
        socket = await self.open_websocket()
        socket.shows_pings = True
        for _ in range(3):
            self.assertEqual(await socket.received.get(), "2")
            socket.say("3")


class Version4SilentTests(ConformanceCase):
    """The polling session is the older one: when the WebSocket is closed, so is that."""

    ping_timeout = 200

    async def test_a_client_that_does_not_answer_is_closed(self) -> None:
        sid = await self.open_polling()
        socket = await self.open_websocket()
        socket.shows_pings = True
        await socket.over
        await self.assert_gone(sid)


class Version4SlowTests(Version4, ConformanceCase):
    ping_interval, ping_timeout = 25000, 20000


class Version3FastTests(Version3, ConformanceCase):
    """Cases of both versions, with a fast heartbeat."""


class Version3SilentTests(ConformanceCase):
    eio, ping_timeout = 3, 200

    async def test_a_client_that_does_not_ping_is_closed(self) -> None:
        sid = await self.open_polling()
        socket = await self.open_websocket()
        await socket.over
        self.assertEqual((await self.post(sid, "1:2"))[0], 400)


class Version3SlowTests(Version3, ConformanceCase):
    ping_interval, ping_timeout = 25000, 20000
