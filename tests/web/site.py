"""A site to test against: a stand-in for the supervisor, and raw bytes over real sockets."""

from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock, deferLater
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource

from gateway.common.credentials import Credentials
from gateway.contract import no_alerts, no_hand_over, no_replay
from gateway.replay.wishes import Wish
from gateway.web.http.counting import Caps, count_connections
from gateway.web.http.limits import Limits
from gateway.web.http.request import Request
from gateway.web.http.site import Mount, Site, make_site
from gateway.web.routes.rest import RestHandlers
from gateway.web.routes.route_table import Route, rest_routes
from gateway.web.routes.router import mounts
from gateway.web.security.addresses import is_loopback
from gateway.web.security.guard import Guard
from gateway.web.security.guard_settings import GuardSettings
from tests.patience import PATIENCE

MAX_PAYLOAD = 100_000


class FakeControl:
    """A supervisor that remembers what it was told and does what it is given."""

    def __init__(self) -> None:
        self.running = True
        self.ready = False
        self.calls: list[Any] = []
        self.lines = ["one", "two", "three"]
        self.result: Any = None
        """What changes fire with: a value, an exception, or a Deferred."""

    def readiness(self) -> dict[str, Any]:
        return {}

    def health(self) -> dict[str, Any]:
        return {"state": "running"}

    def status(self) -> dict[str, Any]:
        return {"state": "running", "pid": 4711}

    @property
    def log_position(self) -> int:
        return 1000 + len(self.lines)

    def log_tail(self, lines: int) -> list[str]:
        return self.lines[-lines:]

    def restart(self, *, force: bool = False) -> Deferred[Any]:
        return self._change("restart", force)

    def start_worker(self) -> Deferred[Any]:
        return self._change("start")

    def stop_worker(self) -> Deferred[Any]:
        return self._change("stop")

    def hand_over(self) -> Deferred[Any]:
        return self._change("hand_over")

    def test_alerts(self) -> Deferred[Any]:
        return self._change("test_alerts")

    def replay(self, wish: Wish) -> Deferred[Any]:
        return self._change("replay", wish)

    def set_credentials(
        self, credentials: Credentials, *, wait_ready: bool = False
    ) -> Deferred[Any]:
        return self._change("set_credentials", credentials, wait_ready)

    def _change(self, *call: Any) -> Deferred[Any]:
        self.calls.append(call)
        if isinstance(self.result, Deferred):
            return self.result
        return fail(self.result) if isinstance(self.result, Exception) else succeed(self.result)


class Echo(Resource):
    """Stands for the Engine.IO resource: answers with the body, at once or when told."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Request] = []

    def render(self, request: Request) -> bytes | int:
        if b"slow" in request.uri:
            self.waiting.append(request)
            return 1  # NOT_DONE_YET
        return request.content.read()


def routes(control: Any = None) -> tuple[Route, ...]:
    """The REST routes, with `control` behind them."""
    control = control or FakeControl()
    hand_over = getattr(control, "hand_over", no_hand_over)
    replay = getattr(control, "replay", no_replay)
    rest = RestHandlers(
        control,
        now=lambda: 1708875000.0,
        test_alerts=getattr(control, "test_alerts", no_alerts),
        hand_over=hand_over,
        replay=replay,
        own_lines=lambda lines: (502, ["up", "down"][-lines:]),
    )
    return rest_routes(rest)


def build_site(
    reactor: Any,
    control: Any = None,
    settings: GuardSettings | None = None,
    limits: Limits | None = None,
    engine: Resource | None = None,
) -> Site:
    return make_site(
        reactor,
        Guard(settings or GuardSettings()),
        mounts(routes(control)),
        engine=Mount((engine or Echo()).render, body_limit=MAX_PAYLOAD),
        limits=limits,
        now=lambda: 1708875000.0,
    )


class MemoryTransport(StringTransport):
    aborting = False

    def abortConnection(self) -> None:
        self.aborting = True


class Memory:
    """One connection to a site, without a network."""

    def __init__(self, site: Site, clock: Clock) -> None:
        self.clock = clock
        self.transport = MemoryTransport(peerAddress=IPv4Address("TCP", "127.0.0.1", 54321))
        self.channel = site.buildProtocol(None)
        self.channel.makeConnection(self.transport)

    def send(self, data: bytes) -> bytes:
        """What is answered at once, and to pipelined requests in their turns."""
        self.transport.clear()
        self.channel.dataReceived(data)
        self.clock.advance(0)
        return self.transport.value()

    @property
    def is_closing(self) -> bool:
        return self.transport.disconnecting or self.transport.aborting


class Visitors(Caps):
    """Says when the last connection of a port is gone."""

    def __init__(
        self, per_address: int = 1000, exempt: Callable[[str], bool] = is_loopback
    ) -> None:
        super().__init__(1000, per_address, exempt)
        self._gone: Deferred[None] | None = None

    def gone(self) -> Deferred[None]:
        self._gone = Deferred()
        self._check()
        return self._gone

    def closed(self, host: str) -> None:
        super().closed(host)
        self._check()

    def _check(self) -> None:
        if self._gone is not None and not self.count:
            self._gone.callback(None)


class Recorder(Protocol):
    """Collects what it is sent."""

    def __init__(self) -> None:
        self.received = b""
        self.closed: Deferred[None] = Deferred()
        self._waiting: list[tuple[bytes, int, Deferred[None]]] = []

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        self._check()

    def until(self, text: bytes, times: int = 1) -> Deferred[None]:
        """Fires when `text` was received so many times."""
        done: Deferred[None] = Deferred()
        self._waiting.append((text, times, done))
        self._check()
        return done

    def _check(self) -> None:
        for waiting in list(self._waiting):
            text, times, done = waiting
            if self.received.count(text) >= times:
                self._waiting.remove(waiting)
                done.callback(None)

    def connectionLost(self, reason: Any = None) -> None:
        self.closed.callback(None)


class SocketTestCase(TestCase):
    """Tests of a site over real sockets."""

    timeout = 2 * PATIENCE

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.control = FakeControl()
        self.engine = Echo()

    def listen(
        self,
        settings: GuardSettings | None = None,
        limits: Limits | None = None,
        timer: Any = None,
    ) -> int:
        """Serve on a port of loopback until the test ends; its number.

        `timer`: what the deadlines go by, else the reactor.
        """
        timer = timer or self.reactor
        self.site = build_site(timer, self.control, settings, limits, self.engine)
        port = self.reactor.listenTCP(0, self.site, interface="127.0.0.1")
        self.visitors = Visitors()
        count_connections(port, self.visitors, self.reactor)
        self.addCleanup(port.stopListening)
        self.addCleanup(self.visitors.gone)
        return int(port.getHost().port)

    async def connect(self, port: int) -> Recorder:
        recorder = Recorder()
        endpoint = TCP4ClientEndpoint(self.reactor, "127.0.0.1", port)
        await connectProtocol(endpoint, recorder)
        self.addCleanup(self._disconnect, recorder)
        return recorder

    async def send(self, port: int, data: bytes) -> bytes:
        """All that is answered until the server closes."""
        recorder = await self.connect(port)
        recorder.transport.write(data)
        await recorder.closed
        return recorder.received

    def turn(self) -> Deferred[None]:
        """Let the reactor look at its sockets once more."""
        return deferLater(self.reactor, 0)

    def _disconnect(self, recorder: Recorder) -> Deferred[None] | None:
        if recorder.closed.called:
            return None
        recorder.transport.abortConnection()
        return recorder.closed
