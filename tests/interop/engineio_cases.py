"""What both versions of Engine.IO have in common, case by case from the protocol."""

import json
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.web.client import ResponseFailed

from tests.interop.engineio import BYTES, Chunked, Socket


class Common:
    """What both versions of the protocol have in common; `p` makes a payload of packets."""

    def p(self, *packets: str) -> bytes:
        raise NotImplementedError

    # -- handshake --------------------------------------------------------------------

    async def test_a_polling_handshake_offers_the_upgrade(self: Any) -> None:
        status, body = await self.ask("GET", self.query("polling"))
        offer = json.loads(body[body.index(b"{") :])
        self.assertEqual((status, offer["upgrades"]), (200, ["websocket"]))
        self.assertEqual(offer["pingInterval"], self.ping_interval)
        self.assertEqual(offer["pingTimeout"], self.ping_timeout)
        self.assertEqual(offer["maxPayload"], 1000000)
        self.assertEqual(
            set(offer), {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
        )

    async def test_a_websocket_handshake_offers_none(self: Any) -> None:
        socket = await self.websocket(self.query("websocket"))
        packet = await socket.received.get()
        self.assertEqual((packet[0], json.loads(packet[1:])["upgrades"]), ("0", []))

    async def test_wrong_queries_are_refused(self: Any) -> None:
        for query, code in (
            (f"EIO={self.eio}", 0),
            (self.query("abc"), 0),
            (self.query("polling", "unknown"), 1),
            ("EIO=&transport=polling", 5),
            ("EIO=abc&transport=polling", 5),
            (self.query("websocket"), 3),
        ):
            self.assertEqual(await self.code("GET", query), (400, code), query)
        for method in ("POST", "PUT"):
            self.assertEqual(await self.code(method, self.query("polling")), (400, 2))

    async def test_wrong_websockets_are_refused(self: Any) -> None:
        for query in ("EIO=&transport=websocket", "EIO=abc&transport=websocket", f"EIO={self.eio}"):
            with self.assertRaises(ConnectionError):
                await self.websocket(query)

    async def test_who_says_no_version_speaks_version_3(self: Any) -> None:
        status, body = await self.ask("GET", "transport=polling")
        length, _, offer = body.partition(b":")
        self.assertEqual((status, int(length)), (200, len(offer)))
        socket = await self.websocket("transport=websocket")
        await socket.received.get()
        socket.say("2probe")
        self.assertEqual(await socket.received.get(), "3probe")

    # -- messages ---------------------------------------------------------------------

    async def test_messages_over_polling(self: Any) -> None:
        sid = await self.open_polling()
        for packets in (["4hello"], ["4test1", "4test2", "4test3"], ["4é", "4", "4🀄 !"]):
            self.assertEqual(await self.post(sid, self.p(*packets)), (200, b"ok"))
            self.assertEqual(await self.get(sid), (200, self.p(*packets)))

    async def test_a_pending_get_is_answered_when_there_is_something(self: Any) -> None:
        sid = await self.open_polling()
        pending = await self.pending(sid)
        self.assertEqual(await self.post(sid, self.p("4hello")), (200, b"ok"))
        self.assertEqual(await pending, (200, self.p("4hello")))

    async def test_text_over_a_websocket(self: Any) -> None:
        socket = await self.open_websocket()
        for packet in ("4hello", "4é🀄", "4", "4" + "x" * 900_000):
            socket.say(packet)
            self.assertEqual(await socket.received.get(), packet)

    async def test_malformed_packets_close_a_polling_session(self: Any) -> None:
        sid = await self.open_polling()
        self.assertEqual((await self.post(sid, "abc"))[0], 400)
        await self.assert_gone(sid)

    async def test_malformed_packets_close_a_websocket(self: Any) -> None:
        for packet in ("abc", "", "5", "0"):
            socket = await self.open_websocket()
            socket.say(packet)
            await socket.over

    async def test_a_second_get_closes_the_session(self: Any) -> None:
        sid = await self.open_polling()
        first = await self.pending(sid)
        self.assertEqual((await self.get(sid))[0], 400)
        self.assertEqual(await first, (200, self.p("1")))
        await self.assert_gone(sid)

    async def test_an_aborted_get_closes_the_session(self: Any) -> None:
        sid = await self.open_polling()
        pending = await self.pending(sid)
        pending.cancel()
        with self.assertRaises((CancelledError, ResponseFailed)):
            await pending
        await self.until(lambda: not self.server.sessions)
        await self.assert_gone(sid)

    async def test_a_body_over_the_limit_is_refused_and_nothing_else(self: Any) -> None:
        sid = await self.open_polling()
        for data in (b"4" * 1_000_001, Chunked(b"4" * 1_000_001)):
            status, _ = await self.ask("POST", self.query("polling", sid), data=data)
            self.assertEqual(status, 413)
        self.assertEqual(await self.post(sid, self.p("4hello")), (200, b"ok"))

    # -- closing ----------------------------------------------------------------------

    async def test_a_client_closes_its_polling_session(self: Any) -> None:
        sid = await self.open_polling()
        pending = await self.pending(sid)
        self.assertEqual(await self.post(sid, self.p("1")), (200, b"ok"))
        self.assertEqual(await pending, (200, self.p("6")))
        await self.assert_gone(sid)

    async def test_a_client_closes_its_websocket(self: Any) -> None:
        socket = await self.open_websocket()
        socket.say("1")
        await socket.over
        self.assertEqual(self.server.sessions, {})

    async def test_a_lost_websocket_ends_its_session(self: Any) -> None:
        socket = await self.open_websocket()
        socket.transport.abortConnection()
        await self.until(lambda: not self.server.sessions)

    # -- upgrading --------------------------------------------------------------------

    async def probe(self: Any, sid: str) -> Socket:
        socket: Socket = await self.websocket(self.query("websocket", sid))
        socket.say("2probe")
        self.assertEqual(await socket.received.get(), "3probe")
        return socket

    async def test_an_upgrade(self: Any) -> None:
        sid = await self.open_polling()
        socket = await self.probe(sid)
        self.assertEqual(await self.get(sid), (200, self.p("6")))
        socket.say("5", "4hello")
        self.assertEqual(await socket.received.get(), "4hello")

    async def test_the_probe_releases_a_pending_get(self: Any) -> None:
        sid = await self.open_polling()
        pending = await self.pending(sid)
        await self.probe(sid)
        self.assertEqual(await pending, (200, self.p("6")))

    async def test_polling_is_over_after_the_upgrade(self: Any) -> None:
        sid = await self.open_polling()
        socket = await self.probe(sid)
        socket.say("5", "4hello")
        self.assertEqual(await socket.received.get(), "4hello")
        self.assertEqual(await self.code("GET", self.query("polling", sid)), (400, 3))
        self.assertEqual(await self.code("POST", self.query("polling", sid)), (400, 3))
        socket.say("4still here")
        self.assertEqual(await socket.received.get(), "4still here")

    async def test_another_websocket_is_closed_alone(self: Any) -> None:
        sid = await self.open_polling()
        socket = await self.probe(sid)
        during = await self.websocket(self.query("websocket", sid))
        await during.over
        socket.say("5", "4hello")
        self.assertEqual(await socket.received.get(), "4hello")
        after = await self.websocket(self.query("websocket", sid))
        await after.over
        socket.say("4still here")
        self.assertEqual(await socket.received.get(), "4still here")

    async def test_a_wrong_probe_is_closed_alone(self: Any) -> None:
        sid = await self.open_polling()
        for packet in ("2wrong", "5", "4hello", BYTES):
            socket = await self.websocket(self.query("websocket", sid))
            socket.say(packet)
            await socket.over
        self.assertEqual(await self.post(sid, self.p("4hello")), (200, b"ok"))

    async def test_nothing_is_lost_or_doubled_by_an_upgrade_under_load(self: Any) -> None:
        sid = await self.open_polling()
        sent = [f"4{number}" for number in range(200)]
        got: list[str] = []
        for start in range(0, 100, 20):
            await self.post(sid, self.p(*sent[start : start + 20]))
        socket = await self.probe(sid)
        got += self.packets((await self.get(sid))[1])
        await self.post(sid, self.p(*sent[100:110]))
        socket.say("5", *sent[110:])
        while len(got) < len(sent):
            got.append(await socket.received.get())
        self.assertEqual(got, sent)

    def packets(self, payload: bytes) -> list[str]:
        raise NotImplementedError
