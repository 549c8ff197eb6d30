"""How fast the POSTs of long-polling are received: in slices, and no more than is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.engineio.meter import SLICE

if TYPE_CHECKING:
    from gateway.engineio.session import Session
    from gateway.engineio.upload import Upload
    from gateway.web.allowance import Allowance


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
