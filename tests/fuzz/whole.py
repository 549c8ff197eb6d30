"""The whole gateway without a network, with one healthy client that must notice nothing."""

import time
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import LogEvent, LogLevel, globalLogPublisher

from gateway.engineio.deadlines import Deadlines
from gateway.engineio.server import Server as EngineServer
from gateway.engineio.settings import Settings as EngineSettings
from gateway.relay.relay import Relay
from gateway.relay.settings import RelaySettings
from gateway.socketio.server import Server as SocketServer
from gateway.socketio.server import Settings as SocketSettings
from gateway.web.http.timer import drive
from gateway.web.routes.engine import EngineResource
from gateway.web.websocket.allowance import Allowance
from gateway.web.websocket.upgrade import Upgrader
from tests.web.peer import REQUEST, frame
from tests.web.site import build_site
from tests.web.wire import Wire

MAX_PAYLOAD = 65536


class Everybody:
    """An observer that lets everybody in, and trusts nobody; `last` is what came last together."""

    last: Any = ()

    def admit(self, session: Any, auth: dict[str, Any]) -> bool:
        return True

    def is_worker(self, sender: Any) -> bool:
        return False

    def trusts(self, sender: Any) -> bool:
        return False

    def relayed(self, sender: Any, events: Any) -> None:
        self.last = events

    def owner(self, session: Any) -> str:
        return ""

    def left(self, sender: Any) -> None: ...

    def heard(self, sender: Any, events: Any, values: Any) -> None: ...


class Whole:
    """Takes what a stranger sends; raises what escapes, or was logged as a failure."""

    def __init__(self) -> None:
        self.clock = Clock()
        deadlines = Deadlines(self.clock.seconds)
        drive(self.clock, deadlines)
        self.observer = Everybody()
        self.relay = relay = Relay(
            RelaySettings(), deadlines, self.clock.callLater, self.observer, wall=time.time
        )
        application = SocketServer(SocketSettings(), deadlines)
        relay.register(application)
        self.engine = EngineServer(
            EngineSettings(max_payload=MAX_PAYLOAD, eio3=True),
            application,
            deadlines,
            outbox=relay.outbox,
        )
        upgrader = Upgrader(self.clock, deadlines, Allowance(max_payload=MAX_PAYLOAD))
        self.site = build_site(self.clock, engine=EngineResource(self.engine, upgrader))
        self.healthy = self.connect()
        self.healthy.protocol.dataReceived(REQUEST)
        self.healthy.protocol.dataReceived(frame(b"40"))
        self.turn()
        assert b"40{" in self.healthy.kernel.sent
        self._sequence = 0

    def connect(self) -> Wire:
        channel = self.site.buildProtocol(None)
        wire = Wire(channel)
        wire.getPeer = wire.getHost = _local  # type: ignore[method-assign]
        channel.makeConnection(wire)
        return wire

    def turn(self) -> None:
        self.clock.advance(0)

    def send(self, parts: list[bytes]) -> Wire:
        """What a stranger sends on one connection, in parts; then he is gone."""
        failures: list[LogEvent] = []

        def observe(event: LogEvent) -> None:
            if event["log_level"] >= LogLevel.error or "log_failure" in event:
                failures.append(event)

        globalLogPublisher.addObserver(observe)
        try:
            wire = self.connect()
            for part in parts:
                if wire.connected and part:
                    wire.protocol.dataReceived(part)
                self.turn()
            if wire.connected:
                wire.connectionLost()
            self.turn()
        finally:
            globalLogPublisher.removeObserver(observe)
        assert not failures, failures
        return wire

    def check(self) -> None:
        """The healthy client still hears what is said, and nothing is left of strangers."""
        self._sequence += 1
        marker = b'"mark%d"' % self._sequence
        speaker = self.connect()
        for part in (REQUEST, frame(b"40"), frame(b"42[%b]" % marker)):
            speaker.protocol.dataReceived(part)
        self.turn()
        assert self.healthy.connected
        assert marker in self.healthy.kernel.sent, "the healthy client heard nothing"
        self.healthy.kernel.sent = b""
        speaker.connectionLost()
        self.turn()
        self.heartbeat()
        assert len(self.engine.sessions) == 1, self.engine.sessions
        assert not self.site.expiry._due, self.site.expiry._due

    def heartbeat(self) -> None:
        """Let sessions end that nobody polls, while the healthy client answers pings."""
        for _ in range(4):
            self.clock.pump([1.0] * 25)
            self.healthy.protocol.dataReceived(frame(b"3"))
        self.turn()


def _local() -> Any:
    from twisted.internet.address import IPv4Address

    return IPv4Address("TCP", "127.0.0.1", 4711)
