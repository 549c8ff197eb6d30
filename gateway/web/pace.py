"""How fast the POSTs of long-polling are received: in slices, and no more than is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.session import Session
    from gateway.engineio.upload import Upload
    from gateway.web.allowance import Allowance
    from gateway.web.limits import TokenBucket

SLICE = 500
"""Packets of one POST that are received in one reactor turn: a few milliseconds' work."""


class Pace:
    """Receives uploads slice by slice; a session's POSTs share its allowance."""

    def __init__(self, allowance: Allowance, clock: Callable[[], float]) -> None:
        self._allowance = allowance
        self._clock = clock
        self._buckets: WeakKeyDictionary[Session, TokenBucket | None] = WeakKeyDictionary()

    def receive(self, upload: Upload, session: Session) -> float:
        """Receive a slice; the seconds to wait before the next one, or the answer.

        Raises what `Upload.receive` does.
        """
        delay = self._charge(session, upload.receive(SLICE))
        if delay or not upload.done:
            session.excuse(delay)  # its pong comes with the next POST, after our answer
        return delay

    def _charge(self, session: Session, packets: int) -> float:
        if session not in self._buckets:
            self._buckets[session] = self._allowance.bucket(self._clock)
        bucket = self._buckets[session]
        delay = bucket.take(packets) if bucket is not None else 0.0
        if delay and self._allowance.exempts(session):
            self._buckets[session] = None
            return 0.0
        return delay
