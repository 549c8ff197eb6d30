"""A connection on which the same request may come again, as from a client that polls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.protocol import connectionDone

from gateway.web.http.channel import HttpChannel
from gateway.web.http.request import Request

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from gateway.web.http.known import Answerer, KnownRequest


class KnownChannel(HttpChannel):
    """One connection; a request that is `known` is answered without being parsed.

    While its answer is due there is no request, no phase and no deadline.
    """

    known: KnownRequest | None = None
    """The request that may come again."""
    _answerer: Answerer | None = None
    """Who answers it, while the answer is due."""

    def dataReceived(self, data: bytes) -> None:
        known = self.known
        if (
            known is not None
            and known.equals(data)
            and self._is_between_requests
            and not self.is_over
            and known.revision == self.site.resource.guard.revision
            and self._take_known(known.answerer)
        ):
            return
        super().dataReceived(data)

    def _take_known(self, answerer: Answerer) -> bool:
        self._handlingRequest = True  # what comes meanwhile waits
        self.line_mode = 0
        self._answerer = answerer
        if answerer.take():
            return True
        self._handlingRequest = False
        self.line_mode = 1
        self._answerer = None
        return False

    def answer(self, data: bytes) -> None:
        """Write `data`, the whole answer to the request that came again."""
        self._answerer = None
        if not self._writer.write(data) and self._taken is None:
            self._wait_for_reader()
        if self._is_quiet:
            self._done()
        else:
            request = Request(self)  # all else asks for one
            self.requests.append(request)
            self.requestDone(request)

    def overdue(self) -> None:
        if self._answerer is None:  # else the deadline was that of the time before
            super().overdue()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        answerer = self._answerer
        super().connectionLost(reason)
        if answerer is not None:
            answerer.lost()

    def release(self) -> None:
        super().release()
        self.known = self._answerer = None
