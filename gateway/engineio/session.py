"""One client, over the transport that it has at the moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.engineio.errors import ProtocolError
from gateway.engineio.handshake import WEBSOCKET, open_packet
from gateway.engineio.heartbeat import Heartbeat
from gateway.engineio.meter import HANDSHAKE, Meter
from gateway.engineio.outbox import LastWrites
from gateway.engineio.packet import CLOSE, HEARTBEATS, MESSAGE, NOOP, PING, PONG, Packet, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.engineio.handshake import Peer
    from gateway.engineio.interfaces import Connection, SessionChannel
    from gateway.engineio.outbox import Outbox
    from gateway.engineio.probe import Probe
    from gateway.engineio.server import Server

OPENING, OPEN, CLOSING, CLOSED = range(4)

CLOSE_PACKET, NOOP_PACKET = Packet(CLOSE), Packet(NOOP)


class _Over:
    """The `Connection` of a session that has ended."""

    def message(self, packet: Packet) -> None:
        """Hear nothing."""

    def burst(self, messages: list[bytes], at: int) -> int:
        """Take none."""
        return at

    def closed(self, reason: str) -> None:
        """It is closed."""


OVER = _Over()


class Session:
    """One Engine.IO session.

    - `sid`: its id, which is a secret; `eio`: 3 or 4
    - `peer`: where its last request came from; `origin`: the client's address at the opening
    - `query`: parameters of its first request that are not the protocol's; `headers` of that
    - `outbox`: everything that is to be sent to the client
    - `data`: anything that the application wants to keep with the session
    - `heartbeat`: until when the client has to say something; there from the opening on
    - `meter`: what the client costs
    """

    __slots__ = (
        "__weakref__",
        "_attached",
        "_channel",
        "_connection",
        "_reason",
        "_sink",
        "_state",
        "data",
        "eio",
        "headers",
        "heartbeat",
        "meter",
        "origin",
        "outbox",
        "peer",
        "probe",
        "query",
        "server",
        "sid",
    )

    _connection: Connection
    """The application's side, from `open` on."""

    def __init__(
        self,
        server: Server,
        sid: str,
        eio: int,
        channel: SessionChannel,
        *,
        outbox: Outbox,
        peer: Peer,
        query: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> None:
        self.server = server
        self.sid = sid
        self.eio = eio
        self.peer = peer
        self.origin = peer.address
        self.query = query
        self.headers = headers
        self.outbox = outbox
        outbox.owner = self
        self.meter = Meter(server.settings.rate, server.settings.burst, server.deadlines.clock)
        self.data: Any = None
        self.probe: Probe | None = None
        self._channel = channel
        self._sink = channel.sink
        self._attached = False
        self._reason: str | None = None
        self._state = OPENING

    @property
    def transport(self) -> str:
        """`"polling"` or `"websocket"`."""
        return self._channel.name

    @property
    def is_open(self) -> bool:
        """Whether messages are sent and received."""
        return self._state == OPEN

    @property
    def is_over(self) -> bool:
        """Whether the session has ended."""
        return self._state == CLOSED

    @property
    def channel(self) -> SessionChannel:
        """The transport."""
        return self._channel

    # -- for the layer above ----------------------------------------------------------

    def send(self, *packets: Packet) -> None:
        """Send `packets` as one record; does nothing when the session closes."""
        if self._state <= OPEN:
            self.outbox.send(Record(*packets))

    def close(self, reason: str = "forced close") -> None:
        """Write what was sent so far, then end the session.

        A client that does not take it within the ping timeout is disconnected.
        """
        if self._state == OPENING:
            self._reason = reason
        elif self._state == OPEN:
            self._state, self._reason = CLOSING, reason
            self._drop_probe()
            self._write_last(Record(CLOSE_PACKET))

    def abort(self, reason: str, *, farewell: Packet | None = None, code: int = 1000) -> None:
        """End the session now; what was not written is lost.

        No close packet is sent: python-socketio does not connect again after one.  After an
        error of the transport every client does.
        """
        if self._state == CLOSED:
            return
        reason = reason if self._reason is None else self._reason
        self._state = CLOSED
        self.heartbeat.stop()
        self._drop_probe()
        self.outbox.close()
        self.server.forget(self)
        self._channel.end(farewell, code)
        self._connection.closed(reason)
        # What is over should be gone at once: nothing that knows us is kept.
        self._connection = OVER
        if isinstance(self._sink, LastWrites):
            self._sink.stop()

    # -- for the server and the transports --------------------------------------------

    def open(self, application: Callable[[Session], Connection], *upgrades: str) -> None:
        """Send the opening packet and make the application's `Connection`."""
        self.meter.charge(HANDSHAKE)
        self.send(open_packet(self.sid, upgrades, self.server.settings))
        self._connection = application(self)
        self.heartbeat = Heartbeat(self)
        self._state = OPEN
        self.server.remember(self)
        if self._reason is not None:
            self.close(self._reason)

    def receive(self, packet: Packet) -> None:
        """Take one packet from the client.  Raises `ProtocolError`."""
        data, binary = packet
        if binary or data[:1] == MESSAGE:
            if self._state == OPEN:
                self._connection.message(packet)
        else:
            handler = CONTROLS[self.eio].get(data[:1])
            if handler is None:
                raise ProtocolError(
                    "a packet of this type is not the client's to send",
                    "transport error" if data[:1] in HEARTBEATS else "parse error",
                )
            handler(self, packet)

    def burst(self, messages: list[bytes], at: int) -> int:
        """Take some of several texts at once, as `Connection.burst` does."""
        return self._connection.burst(messages, at) if self._state == OPEN else at

    def room(self) -> None:
        """The transport can take a write."""
        if self._state == CLOSED:
            return
        if self._attached:
            self.outbox.resume()
        else:
            self._attached = True
            self.outbox.attach(self._sink)

    def detach(self) -> None:
        """The transport can take no write, for a reason that the outbox does not know."""
        if self._attached:
            self._attached = False
            self.outbox.detach()

    def excuse(self, seconds: float) -> None:
        """The client is not read for `seconds`: don't count that as silence."""
        if self._state == OPEN:
            self.heartbeat.excuse(seconds)

    def lost(self) -> None:
        """The transport's connection was lost."""
        self.abort("transport close")

    def upgrade(self, channel: SessionChannel) -> None:
        """Go on over `channel`; a pending poll of the transport before is answered."""
        self.detach()
        self._channel.end(NOOP_PACKET, 1000)
        self.probe = None
        self._channel, self._sink = channel, channel.sink
        self.heartbeat.fetched()
        self.room()

    def say(self, record: Record) -> None:
        """Send a packet of the protocol itself, before all that waits."""
        self.outbox.send(record, urgent=True)
        if self._channel.name == WEBSOCKET:
            self.heartbeat.fetched()

    def _write_last(self, record: Record) -> None:
        room = self._channel.has_room
        self.detach()
        self._sink = LastWrites(self._sink, record, self._finish)
        self.heartbeat.expire(self.server.settings.timeout)
        self.outbox.send(record)
        if room:
            self.room()

    def _finish(self) -> None:
        self.abort("forced close")

    def _drop_probe(self) -> None:
        if self.probe is not None:
            self.probe.stop()

    def _pinged(self, packet: Packet) -> None:
        self.heartbeat.pinged()
        self.say(Record(Packet(PONG + packet.payload)))

    def _ponged(self, packet: Packet) -> None:
        self.heartbeat.ponged()

    def _client_closed(self, packet: Packet) -> None:
        self.abort("transport close", farewell=NOOP_PACKET)

    def _nothing(self, packet: Packet) -> None:
        """A noop."""


# What a client may send besides messages; anything else closes its session.
CONTROLS: dict[int, dict[bytes, Callable[[Session, Packet], None]]] = {
    4: {
        CLOSE: Session._client_closed,
        PONG: Session._ponged,
        NOOP: Session._nothing,
    },
    3: {
        CLOSE: Session._client_closed,
        PING: Session._pinged,
        NOOP: Session._nothing,
    },
}
