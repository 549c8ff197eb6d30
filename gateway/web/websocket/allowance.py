"""How large the messages of a client may be, and how fast it is read.

Strangers have one limit, the worker another.  Who the client is, is asked only when it
goes over the first: asking costs more than most clients ever will.
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
    """Sizes in bytes; the rate is in the settings of Engine.IO.

    `is_worker(session)`, `is_exempt(session)`: who has a limit of its own, and who may
    send at any rate.  Both are asked only when it matters.
    """

    max_payload: int
    worker_payload: int = 0
    """Where it is more than `max_payload`, the worker may send messages of this size."""
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
        """Settle what `session` has spent; the seconds for which it is not to be read."""
        delay = session.meter.settle()
        if delay and self.is_exempt is not None and self.is_exempt(session):
            session.meter.release()
            return 0.0
        return delay


# -- How fast the POSTs of long-polling are received: in slices, and no more than is allowed.


class Pace:
    """Receives uploads slice by slice."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance

    def receive(self, upload: Upload, session: Session) -> float:
        """Receive a slice; the seconds to wait before the next one, or the answer.

        Raises what `Upload.receive` does.
        """
        upload.receive(SLICE)
        delay = self._allowance.pause(session)
        if delay or not upload.done:
            session.excuse(delay)  # its pong comes with the next POST, after our answer
        return delay
