"""The body of a POST, received in slices.

A body may hold a hundred thousand packets, and other clients are served in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.engineio.errors import BAD_REQUEST, UNKNOWN_SID, EngineError, ProtocolError
from gateway.engineio.meter import BYTES
from gateway.engineio.packet import MESSAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.engineio.packet import Packet
    from gateway.engineio.session import Session

CONTROLS = 16
"""Packets besides messages that one body may hold; clients send one or two."""


class Upload:
    """The packets of one POST; `finished` is called once, when all are received or refused."""

    __slots__ = ("_controls", "_finished", "_packets", "_session", "done")

    def __init__(
        self, session: Session, packets: Iterator[Packet], finished: Callable[[], None]
    ) -> None:
        self.done = False
        """Whether nothing is left, so that the POST can be answered."""
        self._session = session
        self._packets = packets
        self._finished = finished
        self._controls = 0

    def receive(self, most: float) -> None:
        """Receive packets until they have cost `most`, charged to the session's meter.

        Raises `EngineError`: 3 for a malformed body; the packets before the fault were
        received, and the session is closed.  1 when the session ended before the rest was
        received.
        """
        if self.done:
            return
        if self._session.is_over:
            self._finish()
            raise EngineError(UNKNOWN_SID)
        try:
            self._receive(most)
        except ProtocolError as error:
            self._session.abort(error.reason)
            raise EngineError(BAD_REQUEST) from error
        except Exception:  # the rest of the body is not heard: the client must begin again
            self._session.abort("server error")
            raise
        finally:
            if self._session.is_over:
                self._finish()

    def _receive(self, most: float) -> None:
        session, meter = self._session, self._session.meter
        enough = meter.spent + most
        for packet in self._packets:
            meter.charge(1 + len(packet.data) / BYTES)
            if packet.type != MESSAGE:
                self._control()
            session.receive(packet)
            if session.is_over or meter.spent >= enough:  # a close packet: the rest is not heard
                return
        self._finish()

    def _control(self) -> None:
        self._controls += 1
        if self._controls > CONTROLS:
            raise ProtocolError(f"a body may hold {CONTROLS} packets besides messages")

    def _finish(self) -> None:
        if not self.done:
            self.done = True
            self._finished()
