"""Sessions that clients open and leave: what they keep, how many there may be, and their end."""

import gc
import tracemalloc
import weakref
from collections import Counter
from pathlib import Path
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.app.assembly import GatewayAssembly
from gateway.options import Settings
from tests.untraced import untraced
from tests.web.http.test_site import Answer
from tests.web.site import Memory

OVER = 70
"""Seconds after which a session that enters no namespace is over, and was let go."""
STRANGER = "192.0.2.1"
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
QUERIES = {
    "nothing": "",
    "many keys": "".join(f"&key{number}={number}" for number in range(60)),
    "an encoded value": "&name=" + "%E5%8F%B0" * 800,
    "a token": "&token=" + "x" * 500,
    "a long token": "&token=" + "x" * 8000,
}


class HandshakeTestCase(SynchronousTestCase):
    """A whole gateway without ports."""

    options: dict[str, Any] = {}  # noqa: RUF012  # never changed

    def setUp(self) -> None:
        self.reactor: Any = MemoryReactorClock()
        settings = Settings(no_worker=True, state_dir=Path(self.mktemp()), **self.options)
        self.assembly = GatewayAssembly(settings, self.reactor)
        self.assembly.gateway.getServiceNamed("the deadlines").startService()
        self.site: Any = self.assembly.site
        self.sessions = self.assembly.engine.sessions

    def shake(
        self,
        query: str = "",
        host: str = STRANGER,
        transport: str = "polling",
        *,
        stays: bool = False,
        **headers: str,
    ) -> Answer:
        """Open a session, and leave unless it `stays`."""
        memory = Memory(self.site, self.reactor)
        kind = IPv6Address if ":" in host else IPv4Address
        memory.transport.peerAddr = kind("TCP", host, 4711)
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        memory.send(
            f"GET /socket.io/?EIO=4&transport={transport}{query} HTTP/1.1\r\n"
            f"Host: localhost\r\n{UPGRADE if transport == 'websocket' else ''}{lines}\r\n".encode()
        )
        self.reactor.advance(0)  # what a turn has to say is said at its end
        answer = memory.transport.value()
        if not stays:
            protocol = getattr(memory.transport, "protocol", memory.channel)
            protocol.connectionLost(Failure(ConnectionDone()))
            memory.transport.producer = None  # as a real one does
        return Answer(answer)

    def pass_time(self, seconds: float) -> None:
        self.reactor.pump([2.5] * int(seconds / 2.5))


class KeptTests(HandshakeTestCase):
    def test_only_what_is_used_of_a_query_is_kept(self) -> None:
        self.shake("&token=sesame&worker=secret&name=somebody&token2=x&t=abc&b64=1")
        (session,) = self.sessions.values()
        self.assertEqual(session.query, {"token": "sesame", "worker": "secret"})

    def test_more_parameters_than_any_client_has_are_refused(self) -> None:
        for query in ("&a" * 70, "&" * 4000, "".join(f"&k{number}=1" for number in range(70))):
            answer = self.shake(query)
            self.assertEqual((answer.status, answer.json["code"]), (400, 3))
        self.assertEqual(len(self.sessions), 0)

    @untraced
    def test_dangling_handshakes_of_any_query_are_small_and_given_back(self) -> None:
        each = 50
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for query in QUERIES.values():  # some things stay for good, and are not measured
            for _ in range(each):
                self.shake(query, "127.0.0.1")
            self.pass_time(OVER)
        for name, query in QUERIES.items():
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(each):
                self.assertEqual(self.shake(query, "127.0.0.1").status, 200)
            self.assertEqual(len(self.sessions), each)
            kept = (tracemalloc.get_traced_memory()[0] - before) / each
            self.assertLess(kept, 4000, name)
            self.pass_time(OVER)
            self.assertEqual(len(self.sessions), 0)
            left = (tracemalloc.get_traced_memory()[0] - before) / each
            self.assertLess(left, 1000, name)

    def test_a_session_that_is_over_is_gone_without_the_collector(self) -> None:
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        self.shake()
        self.shake(transport="websocket", stays=True)
        gone = [weakref.ref(session) for session in self.sessions.values()]
        self.assertEqual(len(gone), 2)
        self.pass_time(OVER)
        self.assertEqual([each() for each in gone], [None, None])


class BoundTests(HandshakeTestCase):
    options = {"max_connections": 20, "max_connections_per_address": 5}  # noqa: RUF012

    def statuses(self, times: int, **how: Any) -> Counter[int]:
        return Counter(self.shake(**how).status for _ in range(times))

    def test_sessions_are_bounded_in_total(self) -> None:
        self.assertEqual(self.statuses(50, host="127.0.0.1"), {200: 20, 503: 30})
        answer = self.shake(host="127.0.0.1", transport="websocket")
        self.assertEqual((answer.status, answer.json["code"]), (503, 4))
        self.assertIn("--max-connections;", answer.json["message"].replace(".", ";"))
        self.pass_time(OVER)
        self.assertEqual(self.statuses(5, host="127.0.0.1"), {200: 5})

    def test_sessions_are_bounded_by_address_whatever_their_transport(self) -> None:
        for _ in range(2):
            self.assertEqual(self.shake(transport="websocket", stays=True).status, 101)
        self.assertEqual(self.statuses(10), {200: 3, 429: 7})
        self.assertEqual(self.shake(transport="websocket").status, 429)
        self.assertIn("--max-connections-per-address", self.shake().json["message"])
        self.assertEqual(self.statuses(10, host="192.0.2.2"), {200: 5, 429: 5})

    def test_an_ipv6_client_counts_by_its_64(self) -> None:
        statuses = Counter(self.shake(host=f"2001:db8:1:2::{i}").status for i in range(1, 11))
        self.assertEqual(statuses, {200: 5, 429: 5})

    def test_a_session_that_ends_makes_room_whoever_asked_last(self) -> None:
        self.assertEqual(self.statuses(5), {200: 5})
        for session in list(self.sessions.values()):
            session.peer = session.peer._replace(host="192.0.2.9")
            session.abort("the test's")
        self.assertEqual(self.statuses(6), {200: 5, 429: 1})

    def test_who_has_a_session_can_go_on(self) -> None:
        self.assertEqual(self.statuses(6), {200: 5, 429: 1})
        path = b"/socket.io/?EIO=4&transport=polling&sid=" + next(iter(self.sessions)).encode()
        request = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n40" % path
        self.assertEqual(Answer(Memory(self.site, self.reactor).send(request)).body, b"ok")


class ProxyTests(HandshakeTestCase):
    options = {  # noqa: RUF012
        "max_connections": 100,
        "max_connections_per_address": 2,
        "trusted_proxies": ("10.0.0.0/8",),
    }

    def test_behind_a_trusted_proxy_each_client_counts_by_its_own_address(self) -> None:
        for client in ("192.0.2.1", "192.0.2.2"):
            statuses = [
                self.shake(host="10.0.0.1", X_Forwarded_For=client).status for _ in range(4)
            ]
            self.assertEqual(statuses, [200, 200, 429, 429])
