"""Engine.IO over twisted.web, with the HTTP connection in memory."""

import json
from typing import Any, ClassVar

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from gateway.engineio.handshake import Peer
from gateway.engineio.session import Session
from gateway.web.routes.engine import EngineResource, all_headers
from gateway.web.websocket.upgrade import UpgradeError
from tests.engineio.world import Echo, FakeSocket, Recorder, World, text

PEER = IPv4Address("TCP", "127.0.0.1", 50001)
HOST = IPv4Address("TCP", "127.0.0.1", 3001)

WEBSOCKET = "Connection: Upgrade\r\nUpgrade: websocket\r\n"


class WithCors(Resource):
    """Stands for the layer that judges requests before they get to Engine.IO."""

    isLeaf = True

    def __init__(self, engine: EngineResource) -> None:
        super().__init__()
        self._engine = engine

    def render(self, request: Request) -> Any:
        request.setHeader("access-control-allow-origin", "http://localhost:3000")
        return self._engine.render(request)


class Response:
    """The first response in what was written, None where there is none yet."""

    def __init__(self, raw: bytes) -> None:
        head, _, rest = raw.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        self.status = int(status.split()[1])
        self.headers = {
            name.lower(): value for name, value in (line.split(": ", 1) for line in lines)
        }
        self.body = rest[: int(self.headers["content-length"])]

    @property
    def json(self) -> Any:
        assert self.headers["content-type"].startswith("application/json")
        return json.loads(self.body)


class Exchange:
    """One HTTP connection with one request on it."""

    def __init__(self, site: Site, raw: bytes, peer: Any) -> None:
        self._protocol = site.buildProtocol(peer)
        self._transport = StringTransport(HOST, peer)
        self._protocol.makeConnection(self._transport)
        self._protocol.dataReceived(raw)

    @property
    def response(self) -> Response | None:
        raw = self._transport.value()
        return Response(raw) if raw else None

    def vanish(self) -> None:
        self._protocol.connectionLost(Failure(ConnectionDone()))


class EngineTests(SynchronousTestCase):
    application: Any = Recorder
    kept: ClassVar[dict[str, Any]] = {}

    def setUp(self) -> None:
        self.world = World(self.application, eio3=True)
        self.upgrades: list[Any] = []
        self.refusal: Exception | None = None
        engine = EngineResource(self.world.server, self.upgrade, **self.kept)
        self.site = Site(WithCors(engine), reactor=Clock())
        self.peer: Any = PEER

    def upgrade(self, request: Request, connect: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.upgrades.append(connect)

    def ask(
        self, query: str, method: str = "GET", body: bytes = b"", headers: str = ""
    ) -> Exchange:
        head = (
            f"{method} /engine.io/?{query} HTTP/1.1\r\nHost: localhost\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return Exchange(self.site, head.encode() + body, self.peer)

    def answer(self, *args: Any, **more: Any) -> Response:
        response = self.ask(*args, **more).response
        assert response is not None, "the request is not answered"
        return response

    def open(self, eio: int = 4, **more: str) -> str:
        """The query of a new polling session."""
        self.assertEqual(self.answer(f"EIO={eio}&transport=polling", **more).status, 200)
        return f"EIO={eio}&transport=polling&sid={self.world.session.sid}"


class PollingTests(EngineTests):
    application = Echo

    def test_a_handshake(self) -> None:
        response = self.answer("EIO=4&transport=polling&t=abc&token=x%20y")
        self.assertEqual(response.status, 200)
        self.assertEqual(response.headers["content-type"], "text/plain; charset=UTF-8")
        self.assertEqual(response.headers["cache-control"], "no-store")
        self.assertEqual(json.loads(response.body[1:])["sid"], self.world.session.sid)
        self.assertEqual(dict(self.world.session.query), {"token": "x y"})
        self.assertEqual(self.world.session.peer, Peer("127.0.0.1", 50001, ("127.0.0.1", 3001)))

    def test_a_bearer_token_counts_as_one_in_the_query(self) -> None:
        bearer = "Authorization: Bearer x y\r\n"
        for query, token in (("", "x y"), ("&token=", "x y"), ("&token=z", "z")):
            self.ask("EIO=4&transport=polling" + query, headers=bearer)
            self.assertEqual(dict(self.world.session.query), {"token": token})
        self.ask("EIO=4&transport=polling", headers="Authorization: Basic eA==\r\n")
        self.assertEqual(dict(self.world.session.query), {})

    def test_that_a_proxy_passed_it_on_is_kept(self) -> None:
        self.ask("EIO=4&transport=polling", headers="Via: 1.1 proxy\r\n")
        self.assertTrue(self.world.session.peer.passed_on)

    def test_a_unix_socket_has_no_address(self) -> None:
        self.peer = UNIXAddress(None)
        self.open()
        self.assertEqual(self.world.session.peer[:2], ("", 0))

    def test_messages_come_and_go(self) -> None:
        query = self.open()
        response = self.answer(query, "POST", "4é\x1ebAQI=".encode())
        self.assertEqual((response.status, response.body), (200, b"ok"))
        self.assertEqual(self.answer(query).body, "4é\x1ebAQI=".encode())

    def test_a_get_waits(self) -> None:
        exchange = self.ask(self.open())
        self.assertEqual(exchange.response, None)
        self.world.session.send(text("4x"))
        assert exchange.response is not None
        self.assertEqual(exchange.response.body, b"4x")
        self.assertEqual(
            exchange.response.headers["access-control-allow-origin"], "http://localhost:3000"
        )

    def test_a_client_that_vanishes_while_it_waits_is_gone(self) -> None:
        self.ask(self.open()).vanish()
        self.assertEqual(self.world.connection.reasons, ["transport error"])

    def test_a_client_may_leave_after_the_answer(self) -> None:
        exchange = self.ask(self.open())
        self.world.session.send(text("4x"))
        exchange.vanish()
        self.assertTrue(self.world.session.is_open)

    def test_engineio_3_may_be_binary(self) -> None:
        query = self.open(eio=3)
        body = bytes.fromhex("01 03 ff 04 01 02")
        self.answer(query, "POST", body, headers="Content-Type: Application/Octet-Stream; x=y\r\n")
        response = self.answer(query)
        self.assertEqual(response.body, body)
        self.assertEqual(response.headers["content-type"], "application/octet-stream")


class ErrorTests(EngineTests):
    def assert_refused(self, response: Response, status: int, code: int) -> None:
        self.assertEqual((response.status, response.json["code"]), (status, code))
        self.assertEqual(response.headers["access-control-allow-origin"], "http://localhost:3000")
        self.assertEqual(response.headers["cache-control"], "no-store")

    def test_refusals_are_json_with_a_code(self) -> None:
        response = self.answer("transport=abc")
        self.assertEqual(response.json, {"code": 0, "message": "Transport unknown"})
        for query, method, code in (
            ("EIO=4", "GET", 0),
            ("EIO=4&transport=polling&sid=abc", "GET", 1),
            ("EIO=4&transport=polling", "POST", 2),
            ("EIO=4&transport=polling", "PUT", 2),
            ("EIO=4&transport=websocket", "GET", 3),
            ("EIO=5&transport=polling", "GET", 5),
        ):
            self.assert_refused(self.answer(query, method), 400, code)

    def test_another_method_is_told_which_there_are(self) -> None:
        response = self.answer(self.open(), "DELETE")
        self.assert_refused(response, 405, 3)
        self.assertEqual(response.headers["allow"], "GET, POST")

    def test_a_malformed_body(self) -> None:
        query = self.open()
        pending = self.ask(query)
        self.assert_refused(self.answer(query, "POST", b"abc"), 400, 3)
        assert pending.response is not None
        self.assert_refused(pending.response, 400, 1)
        self.assert_refused(self.answer(query), 400, 1)

    def test_binary_content_is_not_engineio_4(self) -> None:
        query = self.open()
        headers = "Content-Type: application/octet-stream\r\n"
        self.assert_refused(self.answer(query, "POST", b"4x", headers=headers), 400, 3)
        self.assertEqual(self.world.connection.reasons, ["transport error"])

    def test_a_body_over_the_limit_harms_nobody(self) -> None:
        query = self.open()
        response = self.answer(query, "POST", b"4" * 1_000_001)
        self.assert_refused(response, 413, 3)
        self.assertIn("1000000 bytes", response.json["message"])
        stock = "User-Agent: node-XMLHttpRequest\r\n"
        response = self.answer(query, "POST", b"4" * 1_000_001, headers=stock)
        self.assertEqual((response.status, response.body), (413, b""))
        self.assertEqual(self.answer(query, "POST", b"4x").body, b"ok")

    def test_two_gets_at_once(self) -> None:
        query = self.open()
        first = self.ask(query)
        self.assert_refused(self.answer(query), 400, 3)
        assert first.response is not None
        self.assertEqual((first.response.status, first.response.body), (200, b"1"))


class FailureTests(EngineTests):
    @staticmethod
    def application(session: Session) -> Recorder:
        message = "a secret"
        raise ValueError(message)

    def test_a_failure_of_ours_is_logged_and_not_shown(self) -> None:
        response = self.answer("EIO=4&transport=polling")
        self.assertEqual(
            (response.status, response.json), (500, {"message": "Internal server error"})
        )
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_a_message_that_makes_us_fail_ends_its_session(self) -> None:
        self.world = World(Recorder)
        self.site = Site(EngineResource(self.world.server, self.upgrade), reactor=Clock())
        query = self.open()
        self.world.connection.heard = None
        self.assertEqual(self.answer(query, "POST", b"4x\x1e4y").status, 500)
        self.assertEqual(self.world.connection.reasons, ["server error"])
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)


class UpgradeTests(EngineTests):
    QUERY = "EIO=4&transport=websocket"

    def test_a_request_for_a_websocket_is_handed_on(self) -> None:
        exchange = self.ask(self.QUERY, headers=WEBSOCKET)
        self.assertEqual((exchange.response, len(self.upgrades)), (None, 1))
        socket: Any = type(World().websocket())()
        channel = self.upgrades[0](socket)
        channel.text(b"4hello")
        self.assertEqual(self.world.connection.heard, [text("4hello")])
        self.assertEqual(self.world.session.peer.port, 50001)

    def test_it_is_verified_before(self) -> None:
        for query, code in (
            ("EIO=4&transport=polling", 3),
            ("EIO=5&transport=websocket", 5),
            ("EIO=4&transport=websocket&sid=abc", 1),
        ):
            response = self.answer(query, headers=WEBSOCKET)
            self.assertEqual((response.status, response.json["code"]), (400, code))
        self.assertEqual(self.upgrades, [])

    def test_a_handshake_that_is_no_websockets_is_refused(self) -> None:
        self.refusal = UpgradeError("Only version 13.", 426, sec_websocket_version="13")
        response = self.answer(self.QUERY, headers=WEBSOCKET)
        self.assertEqual((response.status, response.json["message"]), (426, "Only version 13."))
        self.assertEqual(response.headers["sec-websocket-version"], "13")

    def test_another_protocol_is_not_meant(self) -> None:
        headers = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        self.assertEqual(self.answer("EIO=4&transport=polling", headers=headers).status, 200)


class OldClientTests(EngineTests):
    """Clients of Engine.IO 3, where they are not let in."""

    def setUp(self) -> None:
        super().setUp()
        self.world = World(self.application)
        engine = EngineResource(self.world.server, self.upgrade)
        self.site = Site(WithCors(engine), reactor=Clock())

    def test_they_are_told_of_the_option_and_so_is_the_log_but_not_each_time(self) -> None:
        said: list[str] = []

        def hear(event: dict) -> None:
            said.append(formatEvent(event))

        globalLogPublisher.addObserver(hear)
        self.addCleanup(globalLogPublisher.removeObserver, hear)
        for transport, headers in (("polling", ""), ("websocket", WEBSOCKET), ("polling", "")):
            answer = self.answer(f"EIO=3&transport={transport}", headers=headers)
            self.assertEqual((answer.status, answer.json["code"]), (400, 5))
            self.assertIn("--eio3", answer.json["message"])
        (line,) = [line for line in said if "--eio3" in line]
        self.assertIn("127.0.0.1:50001", line)


class HeadersTests(EngineTests):
    kept: ClassVar = {"headers": all_headers}

    def test_a_handshakes_headers_are_kept_where_they_are_asked_for(self) -> None:
        query = self.open(headers="X-Name: Ann\r\nx-name: Bob\r\n")
        self.answer(query, "POST", b"4x", headers="X-Name: Cat\r\n")
        self.assertEqual(self.world.session.headers["x-name"], "Ann, Bob")

    def test_those_of_a_websocket_too(self) -> None:
        self.ask("EIO=4&transport=websocket", headers=WEBSOCKET + "X-Name: Ann\r\n")
        [connect] = self.upgrades
        connect(FakeSocket())
        self.assertEqual(self.world.session.headers["x-name"], "Ann")


class NoHeadersTests(EngineTests):
    def test_nothing_is_kept_that_nobody_asked_for(self) -> None:
        self.open(headers="X-Name: Ann\r\n")
        self.assertEqual(dict(self.world.session.headers), {})
