"""How large the messages of a client may be, and how fast it is read.

The worker may send larger messages than other clients.  Whether a client is the worker is
asked only when it exceeds the smaller limit, since asking is expensive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from gateway.engineio.meter import SLICE

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.session import Session
    from gateway.engineio.upload import Upload


@attrs.frozen(kw_only=True)
class Allowance:
    """What clients may send: sizes in bytes; the rate is in the settings of Engine.IO.

    `is_worker(session)`: whether `worker_payload` counts; `is_exempt(session)`: whether it may
    send at any rate.  Both are asked only when a limit is exceeded.
    """

    max_payload: int
    worker_payload: int = 0
    """The worker's limit, if it is larger than `max_payload`."""
    is_worker: Callable[[Session], bool] | None = None
    is_exempt: Callable[[Session], bool] | None = None

    def limit(self, session: Session | None) -> int:
        """Bytes of the largest message that this client may send."""
        if (
            self.worker_payload > self.max_payload
            and session is not None
            and self.is_worker is not None
            and self.is_worker(session)
        ):
            return self.worker_payload
        return self.max_payload

    def pause(self, session: Session) -> float:
        """Charge what `session` has spent; returns for how many seconds not to read it."""
        delay = session.meter.settle()
        return 0.0 if delay and self.exempts(session) else delay

    def exempts(self, session: Session) -> bool:
        """Whether `session`, which has spent too much, may send at any rate: from now on then."""
        if self.is_exempt is None or not self.is_exempt(session):
            return False
        session.meter.release()
        return True


# -- How fast the POSTs of long-polling are received: in slices, and no more than is allowed.


class Pace:
    """Receives the POSTs of polling clients slice by slice, at the rate that is allowed."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance

    def receive(self, upload: Upload, session: Session) -> float:
        """Receive a slice; returns the seconds to wait before the next slice or the answer.

        Raises what `Upload.receive` does.
        """
        upload.receive(SLICE)
        delay = self._allowance.pause(session)
        if delay or not upload.done:
            session.excuse(delay)  # its pong comes with the next POST, after our answer
        return delay
