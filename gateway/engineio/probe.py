"""A WebSocket that wants to become a polling session's transport.

Source: Engine.IO protocol 4, section "Upgrade".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.engineio.packet import PING, PONG, UPGRADE, Packet, Record

if TYPE_CHECKING:
    from gateway.engineio.deadlines import Deadline
    from gateway.engineio.handshake import Peer
    from gateway.engineio.polling import PollingChannel
    from gateway.engineio.session import Session
    from gateway.engineio.websocket import WebSocketChannel

ASK, UPGRADE_PACKET = Packet(PING + b"probe"), Packet(UPGRADE)
ANSWER = Record(Packet(PONG + b"probe"))

RELEASED_AT_ONCE = 2
"""The one that was pending, and the one that a client sent before it saw our answer."""
RELEASE_PACE = 0.1
"""Seconds between two of the others, as in engine.io's server."""


class Probe:
    """Receives for a WebSocket until it is the session's transport.

    Whatever goes wrong ends the WebSocket alone; the session goes on polling.  It also
    does when the client upgrades before its POST is received: what it says next would
    overtake the rest.  The WebSocket is dropped then, without a close frame, on which
    python-engineio's client stays for ever between its two transports.

    The client has to see its pending GET answered before it can upgrade, so GETs are
    *released*: the first ones at once, and when the upgrade hangs in a proxy, as many a
    second as a stock server does.
    """

    __slots__ = (
        "_answered",
        "_channel",
        "_deadline",
        "_peer",
        "_polling",
        "_release",
        "_released",
        "session",
    )

    def __init__(
        self,
        session: Session,
        polling: PollingChannel,
        channel: WebSocketChannel,
        peer: Peer,
    ) -> None:
        self._answered = False
        self._released = 0
        self._release: Deadline | None = None
        self.session = session
        self._polling = polling
        self._channel = channel
        self._peer = peer
        server = session.server
        self._deadline = server.deadlines.call_later(server.settings.upgrade_timeout, self.stop)
        session.probe = self

    def receive(self, packet: Packet) -> None:
        if packet == ASK and not self._answered:
            self._answered = True
            sink = self._channel.sink
            sink.write(sink.form.encode((ANSWER,)))
            self.polled()
        elif packet == UPGRADE_PACKET and self._answered and not self._polling.uploading:
            self._cancel()
            self._channel.start(self.session)
            self.session.peer = self._peer
            self.session.upgrade(self._channel)
        else:
            self.stop()

    def polled(self) -> None:
        """A GET may be pending: release it now or soon."""
        if not self._answered or self._release is not None:
            return
        if self._released < RELEASED_AT_ONCE:
            self._release_now()
        else:
            deadlines = self.session.server.deadlines
            self._release = deadlines.call_later(RELEASE_PACE, self._release_now)

    def stop(self) -> None:
        """Give the upgrade up and drop the WebSocket."""
        self.lost()
        self._channel.abort()

    def abort(self, reason: str) -> None:
        self.stop()

    def lost(self) -> None:
        """The WebSocket's connection is gone."""
        self._cancel()
        self.session.probe = None

    def room(self) -> None:
        """Nothing waits to be written to a probe."""

    def excuse(self, seconds: float) -> None:
        """The time for an upgrade is not prolonged."""

    def _release_now(self) -> None:
        self._release = None
        if self._polling.has_room:
            self._released += 1
            self._polling.release()

    def _cancel(self) -> None:
        self._deadline.cancel()
        if self._release is not None:
            self._release.cancel()
