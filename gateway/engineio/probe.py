"""A WebSocket that wants to become a polling session's transport.

Source: Engine.IO protocol 4, section "Upgrade".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.engineio.packet import CLOSE, PING, PONG, UPGRADE, Packet
from gateway.engineio.record import Record

if TYPE_CHECKING:
    from gateway.engineio.handshake import Peer
    from gateway.engineio.polling import PollingChannel
    from gateway.engineio.session import Session
    from gateway.engineio.websocket import WebSocketChannel

ASK, UPGRADE_PACKET = Packet(PING + b"probe"), Packet(UPGRADE)
ANSWER = Record(Packet(PONG + b"probe"))


class Probe:
    """Receives for a WebSocket until it is the session's transport.

    Whatever goes wrong ends the WebSocket alone; the session goes on polling.  It also
    does when the client upgrades before its POST is received: what it says next would
    overtake the rest.
    """

    __slots__ = ("_channel", "_deadline", "_peer", "_polling", "answered", "session")

    def __init__(
        self,
        session: Session,
        polling: PollingChannel,
        channel: WebSocketChannel,
        peer: Peer,
    ) -> None:
        self.answered = False
        self.session = session
        self._polling = polling
        self._channel = channel
        self._peer = peer
        server = session.server
        self._deadline = server.deadlines.call_later(server.settings.upgrade_timeout, self.stop)
        session.probe = self

    def receive(self, packet: Packet) -> None:
        if packet == ASK and not self.answered:
            self.answered = True
            sink = self._channel.sink
            sink.write(sink.form.encode((ANSWER,)))
            self._polling.release()
        elif packet == UPGRADE_PACKET and self.answered and not self._polling.uploading:
            self._deadline.cancel()
            self._channel.start(self.session)
            self.session.peer = self._peer
            self.session.upgrade(self._channel)
        else:
            self.stop()

    def stop(self) -> None:
        """Give the upgrade up and close the WebSocket."""
        self.lost()
        self._channel.end(Packet(CLOSE), 1000)

    def abort(self, reason: str) -> None:
        self.stop()

    def lost(self) -> None:
        """The WebSocket's connection is gone."""
        self._deadline.cancel()
        self.session.probe = None

    def room(self) -> None:
        """Nothing waits to be written to a probe."""

    def excuse(self, seconds: float) -> None:
        """The time for an upgrade is not prolonged."""
