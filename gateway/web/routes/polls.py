"""Requests of Engine.IO's long-polling that are not answered at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.web.http.answers import whole
from gateway.web.http.gzip import SMALLEST, Compressor, accepts

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.web.server import Request

    from gateway.engineio.errors import EngineError
    from gateway.engineio.polling import PollingChannel
    from gateway.web.http.known_channel import KnownChannel


class PendingGet:
    """A GET that waits for packets: a request as a `gateway.engineio.polling.Poll`.

    `compress` is for longer answers for clients that accept gzip.
    """

    def __init__(self, request: Request, compress: Compressor) -> None:
        self._request: Request | None = request
        self._compress = compress

    def answer(self, payload: bytes, content_type: str) -> None:
        """Answer with `payload`."""
        request, self._request = self._request, None
        assert request is not None, "a GET has one answer"
        request.setHeader("content-type", content_type)
        if len(payload) > SMALLEST and accepts(request.getHeader("accept-encoding") or ""):
            request.setHeader("content-encoding", "gzip")
            payload = self._compress(payload)
        request.setHeader("content-length", str(len(payload)))
        request.write(payload)
        request.finish()

    def refuse(self, error: EngineError) -> None:
        """Answer with `error`."""
        request, self._request = self._request, None
        assert request is not None, "a GET has one answer"
        request.setResponseCode(error.status)
        request.setHeader("content-type", "application/json")
        request.setHeader("content-length", str(len(error.body)))
        request.write(error.body)
        request.finish()

    def watch(self, vanished: Callable[[], None]) -> None:
        """Call `vanished` if the client goes before the answer."""
        if self._request is not None:
            self._request.notifyFinish().addErrback(lambda _: vanished())


class Answers:
    """Makes whole answers; polls that are given the same bytes in a turn share one.

    `call_soon(callback)` must call `callback` after the turn.
    """

    def __init__(
        self, compress: Compressor, call_soon: Callable[[Callable[[], None]], object]
    ) -> None:
        self._compress = compress
        self._call_soon = call_soon
        self._payload: bytes | None = None
        self._rest: tuple[object, ...] = ()
        self._answer = b""

    def __call__(
        self, http: KnownChannel, payload: bytes, content_type: str, lines: bytes, gzip: bool
    ) -> bytes:
        """The answer with `payload`; `lines`: the guard's; `gzip`: whether the client takes it."""
        rest = content_type, lines, gzip
        if payload is not self._payload or rest != self._rest:
            if self._payload is None:
                self._call_soon(self._forget)
            self._payload, self._rest = payload, rest
            self._answer = self._make(http, payload, *rest)
        return self._answer

    def _make(
        self, http: KnownChannel, payload: bytes, content_type: str, lines: bytes, gzip: bool
    ) -> bytes:
        lines += b"Cache-Control: no-store\r\nContent-Type: %b\r\n" % content_type.encode()
        if gzip and len(payload) > SMALLEST:
            lines += b"Content-Encoding: gzip\r\n"
            payload = self._compress(payload)
        return whole(200, http.site.date_line(), lines, payload)

    def _forget(self) -> None:
        self._payload, self._answer = None, b""


class KnownPoll:
    """The GET of a session that comes again and again on one connection.

    `lines`: what the guard adds to answers; `gzip`: whether the client takes it.
    """

    __slots__ = ("_answers", "_channel", "_gzip", "_http", "_lines")

    def __init__(
        self,
        http: KnownChannel,
        channel: PollingChannel,
        answers: Answers,
        lines: bytes,
        gzip: bool,
    ) -> None:
        self._http = http
        self._channel = channel
        self._answers = answers
        self._lines = lines
        self._gzip = gzip

    def take(self) -> bool:
        return self._channel.repeat(self)

    def lost(self) -> None:
        self._channel.lost()

    def answer(self, payload: bytes, content_type: str) -> None:
        """Answer with `payload`."""
        http = self._http
        http.answer(self._answers(http, payload, content_type, self._lines, self._gzip))

    def refuse(self, error: EngineError) -> None:
        """Answer with `error`."""
        lines = b"%bCache-Control: no-store\r\nContent-Type: application/json\r\n" % self._lines
        date = self._http.site.date_line()
        self._http.answer(whole(error.status, date, lines, error.body))


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
