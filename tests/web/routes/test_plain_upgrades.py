"""A request for a WebSocket gets what it would get if a `Request` were made of it; any inputs."""

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.site import Mount, make_site
from gateway.web.routes.engine import EngineResource
from gateway.web.security.guard import Guard
from gateway.web.security.guard_settings import GuardSettings
from gateway.web.websocket.allowance import Allowance
from gateway.web.websocket.upgrade import Upgrader
from tests.engineio.world import Recorder, World
from tests.untraced import untraced
from tests.web.wire import Wire

MANY = 150
REQUEST = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
HELLO = "\x81\x87\0\0\0\x004hello!"  # a frame behind the request
CHANGES = (
    ("HTTP/1.1", "HTTP/1.0"),
    ("GET", "HEAD"),
    ("GET", "POST"),
    ("EIO=4", "EIO=3"),
    ("EIO=4", "EIO=5"),
    ("=websocket", "=polling"),
    ("=websocket", "=websocket&sid=SID"),
    ("=websocket", "=websocket&sid=nobody"),
    ("=websocket", "=websocket&token=wrong"),
    ("=websocket", "=websocket" + 70 * "&x=1"),
    ("/socket.io/", "/health"),
    ("/socket.io/", "/nothing"),
    ("Upgrade: websocket", "upgrade: h2c, WebSocket"),
    ("Upgrade: websocket", "Upgrade: h2c"),
    ("Connection: Upgrade", "Connection: keep-alive, upgrade"),
    ("Connection: Upgrade", "Connection: close"),
    ("AAAA==", "AAAA="),
    ("Version: 13", "Version: 8"),
    ("localhost", "evil.test"),
    ("localhost", "[::1]:3001"),
    ("\r\n", "\n"),
    *(
        ("Host", f"{line}\r\nHost")
        for line in (
            "Host: localhost",
            "Origin: https://evil.test",
            "Origin: https://page.example",
            "Sec-Fetch-Site: cross-site",
            "X-Forwarded-For: 198.51.100.7",
            "Authorization: Bearer a wrong one",
            "Content-Length: 0",
            "Content-Length: 3",
            "Transfer-Encoding: chunked",
            "Sec-WebSocket-Protocol: , one, two",
            "Sec-WebSocket-Protocol: a b",
            "Sec-WebSocket-Extensions: permessage-deflate",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            "User-Agent: Mozilla/5.0",
        )
    ),
)
changes = st.just([]) | st.lists(st.sampled_from(CHANGES), max_size=2)
seldom = st.sampled_from((False, False, False, True))
cuts = st.lists(st.integers(0, 260), max_size=2).map(sorted)


class Side:
    """One gateway with a session that polls, and one connection; `short`: nothing is parsed."""

    def __init__(self, *, short: bool, behind_proxy: bool, deflate: bool) -> None:
        self.world = World(Recorder)
        self.clock = Clock()
        proxies = ["192.0.2.0/24"] if behind_proxy else []
        guard = Guard(
            GuardSettings(allowed_origins=["https://page.example"], trusted_proxies=proxies)
        )
        upgrader = Upgrader(
            self.clock, self.world.deadlines, Allowance(max_payload=1000), deflate=deflate
        )
        engine = EngineResource(self.world.server, upgrader)
        self.engine = engine
        self.site = make_site(
            self.clock,
            guard,
            {b"/health": Mount(lambda _: b"ok")},
            engine=Mount(engine.render, upgrade=engine.upgrade if short else None),
            now=lambda: 1708875000.0,
        )
        self.sid = self.world.polling()
        self.wire = Wire(self.site.buildProtocol(None))
        self.wire.protocol.makeConnection(self.wire)

    def hear(self, text: str, cuts: list[int]) -> None:
        data, start = text.replace("SID", self.sid).encode("latin-1"), 0
        for cut in [*cuts, len(data)]:
            protocol: Any = self.wire.protocol
            if start < cut and self.wire.why is None and not self.wire.disconnecting:
                protocol.dataReceived(data[start:cut])
            start = max(start, cut)
        self.clock.advance(0)
        self.world.wait(0)
        self.wire.turn()

    @property
    def state(self) -> Any:
        """What can be seen from outside."""
        sent = re.sub(rb'"sid":"[^"]*"', b"", self.wire.kernel.sent)
        head, _, body = sent.partition(b"\r\n\r\n")
        return (
            sorted(head.split(b"\r\n")),
            body,
            self.wire.why,
            bool(self.wire.disconnecting),
            [[packet.data for packet in each.heard] for each in self.world.connections],
            type(self.wire.protocol),
            self.site.resource.refused,
        )


class PlainUpgradesTests(SynchronousTestCase):
    @untraced
    def test_a_websocket_is_opened_as_if_its_request_were_parsed(self) -> None:
        opened: list[bool] = []

        @settings(max_examples=MANY, deadline=None)
        @given(changes, cuts, seldom, st.booleans(), st.sampled_from(("", HELLO)))
        def same(
            changes: Any, cuts: list[int], behind_proxy: bool, deflate: bool, more: str
        ) -> None:
            one, two = [
                Side(short=short, behind_proxy=behind_proxy, deflate=deflate)
                for short in (True, False)
            ]
            upgrade: Any = one.site.resource.upgrade
            one.site.resource.upgrade = lambda request: (
                opened.append(upgrade(request)) or opened[-1]
            )  # type: ignore[method-assign,func-returns-value]
            text = REQUEST
            for before, after in changes:
                text = text.replace(before, after, 1)
            for side in (one, two):
                side.hear(text + more, cuts)
            self.assertEqual(one.state, two.state)

        same()
        self.assertGreater(sum(opened), MANY / 20)
        self.assertIn(False, opened)
