"""A poll that is known gets the answer that it would get if it were parsed; any inputs."""

import re
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.known_channel import KnownChannel
from gateway.web.http.request import Request
from gateway.web.http.site import Mount, make_site
from gateway.web.routes.engine import EngineResource
from gateway.web.security.guard import Guard
from gateway.web.security.guard_settings import GuardSettings
from gateway.web.security.tokens import Role, Token
from gateway.web.websocket.upgrade import UpgradeError
from tests.engineio.world import Recorder, World, text
from tests.untraced import untraced
from tests.web.wire import Wire

if TYPE_CHECKING:
    from gateway.engineio.session import Session

MANY = 100
POLL = "GET /socket.io/?EIO=4&transport=polling&t=1&sid={} HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = (
    "POST /socket.io/?EIO=4&transport=polling&sid={} HTTP/1.1\r\nHost: localhost\r\n"
    "Content-Length: 6\r\n\r\n4hello"
)
LINES = (
    "Host: localhost",
    "Host: evil.test",
    "Host: 192.0.2.7",
    "Origin: https://evil.test",
    "Origin: https://page.example",
    "Origin: null",
    "Sec-Fetch-Site: cross-site",
    "Sec-Fetch-Site: same-origin",
    "X-Forwarded-For: 198.51.100.7",
    "Authorization: Bearer a wrong one",
    "Authorization: Bearer right-token",
    "Cookie: a=b",
    "Connection: close",
    "Connection: keep-alive, close",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Expect: 100-continue",
    "Content-Length: 0",
    "Content-Length: 3",
    "Transfer-Encoding: chunked",
    "Accept-Encoding: gzip",
    "User-Agent: Mozilla/5.0",
    " folded",
    "No colon",
    "Nul: \0",
    "X: " + "x" * 5000,
)
CHANGES = (
    ("HTTP/1.1", "HTTP/1.0"),
    ("GET", "HEAD"),
    ("GET", "OPTIONS"),
    ("GET", "PUT"),
    ("EIO=4", "EIO=3"),
    ("polling", "websocket"),
    ("t=1", "t=another"),
    ("t=1", "t=%31"),
    ("t=1", "t="),
    ("t=1", "t=1&t=2"),
    ("t=1", "j=1"),
    ("sid=", "sid=x"),
    ("/socket.io/", "/socket.io/../"),
    ("\r\n", "\n"),
    (": ", ":"),
    ("Host", "hOST"),
    ("\r\n\r\n", "\r\n\r\nmore"),
    ("GET", "\r\nGET"),
)
changed = st.lists(
    st.sampled_from(CHANGES)
    | st.tuples(st.just("Host"), st.sampled_from([f"{line}\r\nHost" for line in LINES])),
    max_size=2,
)
PLAIN = (POLL, (), 1)
polls = st.builds(
    lambda changes, times: (POLL, tuple(changes), times),
    st.just([]) | changed,
    st.sampled_from((1, 1, 1, 2, 3)),
)
cuts = st.lists(st.integers(0, 200), max_size=3).map(sorted)
posts = st.just((POST, (), 1))
rounds = st.tuples(st.just("exchange"), st.integers(1, 3))
others = (
    st.tuples(st.just("say"), st.lists(polls | posts, min_size=1, max_size=2), st.just([]) | cuts)
    | st.tuples(st.just("say"), st.just([PLAIN]), st.just([]))
    | st.tuples(st.sampled_from(("again", "abort", "close", "take", "lost", "half", "other")))
    | st.tuples(st.just("tell"), st.sampled_from((5, 2000)))
    | st.tuples(st.just("wait"), st.sampled_from((0.0, 0.6, 12.0, 26.0, 40.0)))
    | st.tuples(st.just("room"), st.sampled_from((0, 10, 300)))
    | st.tuples(st.sampled_from(("tokens", "exposed")), st.booleans())
)
steps = st.lists(rounds | rounds | others | others, min_size=3, max_size=12)


def _no_upgrade(request: Any, connect: Any) -> None:
    raise UpgradeError(400, "not in this test")


class Side:
    """One gateway with one session and two connections, of which one is used at a time."""

    def __init__(self, *, behind_proxy: bool, bare: bool) -> None:
        self.bare = bare
        self.world = World(Recorder)
        self.clock = Clock()
        self.guard = Guard(
            GuardSettings(
                allowed_origins=["https://page.example"],
                trusted_proxies=["192.0.2.0/24"] if behind_proxy else [],
            )
        )
        engine = EngineResource(self.world.server, _no_upgrade)
        self.site = make_site(
            self.clock, self.guard, {}, engine=Mount(engine.render), now=lambda: 1708875000.0
        )
        self.wires: list[Wire] = []
        self.connect()
        self.last = b""
        self.hear(POLL.replace("&sid={}", "").encode())
        self.session: Session = self.world.session
        self.sid = self.session.sid

    def connect(self) -> None:
        self.wires.append(Wire(self.site.buildProtocol(None)))
        self.wire = self.wires[-1]
        self.channel: Any = self.wire.protocol
        self.channel.makeConnection(self.wire)
        self.channel.is_bare = self.bare  # else it takes turns, as over TLS

    def hear(self, data: bytes) -> None:
        if data and self.wire.why is None and not self.wire.disconnecting:
            self.last = data
            self.channel.dataReceived(data)

    def do(self, step: tuple[Any, ...]) -> None:
        what, *how = step
        getattr(self, what)(*how)
        self.world.wait(0)
        self.clock.advance(0)
        for wire in self.wires:
            wire.turn()

    def say(self, requests: list[Any], cuts: list[int]) -> None:
        raw = ""
        for form, changes, times in requests:
            one = form.format(self.sid)
            for before, after in changes:
                one = one.replace(before, after, 1)
            raw += one * times
        data, start = raw.encode("latin-1"), 0
        for cut in [*cuts, len(data)]:
            self.hear(data[start : max(start, cut)])
            start = max(start, cut)

    def exchange(self, times: int) -> None:
        for _ in range(times):
            self.say([PLAIN], [])
            self.tell(3)

    def again(self) -> None:
        self.hear(self.last)

    def tell(self, size: int) -> None:
        self.session.send(text("4" + "x" * size))

    def abort(self) -> None:
        self.session.abort("a test's")

    def close(self) -> None:
        self.session.close()

    def wait(self, seconds: float) -> None:
        self.world.wait(seconds)
        self.clock.advance(seconds)

    def room(self, size: int) -> None:
        self.wire.kernel.room = size

    def take(self) -> None:
        for wire in self.wires:
            wire.take()

    def lost(self) -> None:
        if self.wire.why is None:
            self.wire.connectionLost(Failure(ConnectionDone()))
        self.connect()

    def half(self) -> None:
        if self.wire.why is None:
            self.wire.readConnectionLost(Failure(ConnectionDone()))

    def other(self) -> None:
        self.connect()

    def tokens(self, some: bool) -> None:
        self.guard.set_tokens([Token("x", "right-token", Role.VIEW)] if some else [])

    def exposed(self, value: bool) -> None:
        self.guard.exposed = value

    @property
    def state(self) -> Any:
        """What can be seen from outside."""
        return (
            [
                (_normal(each.kernel.sent, self.sid), each.why, bool(each.disconnecting))
                for each in self.wires
            ],
            self.session.is_over,
            [packet.data for packet in self.world.connections[0].heard],
            len(self.world.connections),
        )


def _normal(sent: bytes, sid: str) -> Any:
    """Answers, with the header lines of each in one order."""
    sent = re.sub(rb'"sid":"[^"]*"', b"", sent.replace(sid.encode(), b"SID"))
    parts = re.split(rb"(?=HTTP/1\.1 \d)", sent)
    return [
        (sorted(head.lower().split(b"\r\n")), body)
        for part in parts
        for head, _, body in [part.partition(b"\r\n\r\n")]
    ]


class SameAnswersTests(SynchronousTestCase):
    @untraced
    def test_a_known_poll_is_answered_as_if_it_were_parsed(self) -> None:
        taken = []
        take: Any = KnownChannel._take_known

        def take_known(channel: Any, asker: Any) -> bool:
            is_taken: bool = take(channel, asker)
            taken.extend([asker] * is_taken)
            return is_taken

        self.patch(KnownChannel, "_take_known", take_known)
        remember: Any = Request.remember
        forgetful: set[Any] = set()
        self.patch(
            Request,
            "remember",
            lambda request, asker: request.site in forgetful or remember(request, asker),
        )

        @settings(max_examples=MANY, deadline=None)
        @given(steps, st.booleans(), st.booleans())
        def same(steps: Any, behind_proxy: bool, bare: bool) -> None:
            one, two = [Side(behind_proxy=behind_proxy, bare=bare) for _ in range(2)]
            forgetful.add(two.site)
            for step in [("exchange", 2), *steps]:
                one.do(step)
                two.do(step)
                self.assertEqual(one.state, two.state)
            forgetful.clear()

        same()
        self.assertGreater(len(taken), MANY / 10)
