"""A WebSocket that is to become a polling session's transport.

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
"""GETs: the pending one, and one that the client sent before it got the answer."""
RELEASE_PACE = 0.1
"""Seconds between the answers to later GETs, as in engine.io's server."""


class Probe:
    """Receives packets of a WebSocket until that is the session's transport.

    If anything goes wrong, only the WebSocket ends, and the session goes on polling: also if the
    client upgrades before its POST is received, since later packets would overtake the rest.
    The WebSocket is dropped without a close frame, on which python-engineio's client would wait
    for ever.

    A client upgrades only when its pending GET is answered, so GETs are *released*, that is
    answered with a noop: the first ones at once, later ones at the pace of engine.io's server.
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
        """Take a packet of the WebSocket: the probe's ping, then the upgrade."""
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

    def burst(self, messages: list[bytes], at: int) -> int:
        """Each packet may be the last of the probe: none is taken with others."""
        return at

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
        """The client sent what is no packet: give the upgrade up."""
        self.stop()

    def lost(self) -> None:
        """The WebSocket's connection is gone."""
        self._cancel()
        self.session.probe = None

    def room(self) -> None:
        """Nothing is left to do: nothing waits to be written here."""

    def excuse(self, seconds: float) -> None:
        """Nothing changes: the time for an upgrade stays as it is."""

    def _release_now(self) -> None:
        self._release = None
        if self._polling.has_room:
            self._released += 1
            self._polling.release()

    def _cancel(self) -> None:
        self._deadline.cancel()
        if self._release is not None:
            self._release.cancel()
