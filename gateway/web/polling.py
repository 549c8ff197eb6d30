"""Requests of Engine.IO's long-polling that are not answered at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.web.gzip import SMALLEST, accepts

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.web.server import Request

    from gateway.engineio.errors import EngineError
    from gateway.web.gzip import Squeezer


class PendingGet:
    """A `twisted.web` request as a `gateway.engineio.polling.Poll`.

    `squeeze` compresses what is long enough, where the client takes gzip.
    """

    def __init__(self, request: Request, squeeze: Squeezer) -> None:
        self._request: Request | None = request
        self._squeeze = squeeze

    def answer(self, payload: bytes, content_type: str) -> None:
        request, self._request = self._request, None
        assert request is not None, "a GET has one answer"
        request.setHeader("content-type", content_type)
        if len(payload) > SMALLEST and accepts(request.getHeader("accept-encoding") or ""):
            request.setHeader("content-encoding", "gzip")
            payload = self._squeeze(payload)
        request.setHeader("content-length", str(len(payload)))
        request.write(payload)
        request.finish()

    def refuse(self, error: EngineError) -> None:
        request, self._request = self._request, None
        assert request is not None, "a GET has one answer"
        request.setResponseCode(error.status)
        request.setHeader("content-type", "application/json")
        request.setHeader("content-length", str(len(error.body)))
        request.write(error.body)
        request.finish()

    def watch(self, vanished: Callable[[], None]) -> None:
        """Call `vanished` if the client goes away before it is answered."""
        if self._request is not None:
            self._request.notifyFinish().addErrback(lambda _: vanished())


class PendingPost:
    """A POST that is still being received; its client may go before the answer."""

    def __init__(self, request: Request) -> None:
        self._request: Request | None = request
        request.notifyFinish().addErrback(self._vanished)

    def answer(self, body: bytes) -> None:
        """Answer with `body`; status and type are set already."""
        request, self._request = self._request, None
        if request is not None:
            request.setHeader("content-length", str(len(body)))
            request.write(body)
            request.finish()

    def _vanished(self, _: object) -> None:
        self._request = None
