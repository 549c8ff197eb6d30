"""One HTTP/1.1 connection: a deadline for each phase, and writing.

A deadline is absolute: bytes that arrive do not extend it.

Source: RFC 9112 section 9.6 (closing so that the last answer arrives).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IHalfCloseableProtocol, ISSLTransport
from twisted.internet.protocol import connectionDone
from twisted.internet.tcp import Connection
from zope.interface import implementer

from gateway.web.http.answers import head, rejection
from gateway.web.http.counting import count_as
from gateway.web.http.limits import Phase
from gateway.web.http.request import Request
from gateway.web.http.strict_parsing import StrictChannel
from gateway.web.http.tls_writer import writer_for
from gateway.web.http.upgrade_request import UpgradeRequest
from gateway.web.http.writer import CHUNK

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable

    from twisted.python.failure import Failure
    from twisted.web.http_headers import Headers

    from gateway.web.http.plain_headers import PlainHeaders
    from gateway.web.http.writer import Writer

LEAST_TAKEN = 262144
"""Bytes that a slow client must read in each `Limits.flush_seconds` while an answer waits."""


@implementer(IHalfCloseableProtocol)
class HttpChannel(StrictChannel):
    """One connection.

    Until the client has read all of an answer, no further request is answered, and one deadline
    runs from the first byte that waits.  Each pipelined request has a reactor turn of its own.
    """

    transport: Any
    requestFactory = Request
    timeOut = None  # ours are absolute
    _phase = Phase.HANDLING
    is_bare = False
    """Whether the transport is the socket's own."""
    _writer: Writer
    _taken: int | None = None
    """`Writer.taken` when the deadline for the bytes that wait began; None: no bytes wait."""
    _answered: Request | None = None
    """The request that was answered last, while the next one waits for its turn."""
    _host: Any = None
    _peer: Any = None
    _lent = False
    _head = b""

    # -- phases -----------------------------------------------------------------------

    def connectionMade(self) -> None:
        super().connectionMade()
        self.transport.unregisterProducer()  # the writer is asked instead of us
        self._writer = writer_for(self.transport, self._emptied)
        self.is_bare = isinstance(self.transport, Connection) and not self.transport.TLS
        self._enter(Phase.HEAD)

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self.is_over = phase >= Phase.CLOSING
        if self._taken is not None:
            return
        seconds = self.site.seconds[phase]
        if seconds:
            self.site.expiry.watch(self, seconds)
        else:
            self.site.expiry.forget(self)

    def overdue(self) -> None:
        """The deadline has passed: answer with 408, close, or abort."""
        if self._taken is not None and ((self._writer.taken - self._taken) * CHUNK >= LEAST_TAKEN):
            self._wait_for_reader()
        elif self.is_over or self._taken is not None:
            self.transport.abortConnection()
        elif self._phase is Phase.IDLE or not (self.requests or self._buffer):
            self.loseConnection()
        else:
            self.reject(HTTPStatus.REQUEST_TIMEOUT)

    def allHeadersReceived(self) -> None:
        super().allHeadersReceived()
        if self.length != 0 and not self.is_over:
            self._enter(Phase.BODY)

    def allContentReceived(self) -> None:
        if not self.is_over:
            self._enter(Phase.HANDLING)
        super().allContentReceived()

    def _take_plain(self, head: re.Match[bytes]) -> bool:
        taken = super()._take_plain(head)
        if taken and self._handlingRequest and not self.is_over:  # it is not answered yet
            self._enter(Phase.HANDLING)
        return taken

    def _upgrade(self, uri: bytes, headers: PlainHeaders) -> bool:
        return self.site.resource.upgrade(UpgradeRequest(self, uri, headers))

    def lend(self, client: str) -> bool:
        """Count as a connection of `client`, for whom a proxy asks, until the answer is given.

        A WebSocket counts as the client's until its end.  False: `client` has too many.
        """
        self._lent = True
        return count_as(self.transport, client)

    def requestDone(self, request: Request) -> None:
        if self._lent:
            self._lent = False
            count_as(self.transport, getattr(self.getPeer(), "host", ""))
        if self._head:
            self.write(b"")  # a head without a body
        request.transport = None
        if self._is_quiet:
            self.requests.clear()
            self._done()
            return
        self._answered = request
        if self._writer.hung_up:  # nobody hears what else there is to answer
            self.transport.abortConnection()
        elif self._taken is None or not self.persistent:
            self._wait_for_turn()

    @property
    def _is_quiet(self) -> bool:
        """Whether nothing waits, of requests or answers, and nothing was paused."""
        return (
            bool(self.persistent)
            and self._taken is None
            and not (self._buffer or self._dataBuffer or self._writer.hung_up)
        )

    def _done(self) -> None:
        """Read the next request: all that is left of Twisted's own where it is quiet."""
        self._handlingRequest = False
        self.line_mode = 1
        self._enter(Phase.IDLE)

    def _wait_for_turn(self) -> None:
        """Take the next request: in a turn of its own if something of it is here already.

        A connection is read once a turn, with TLS too (`tls_connection`).
        """
        if self.persistent and self.has_more:
            self.site.turns.wait(self)
        else:
            self.take_turn()

    @property
    def has_more(self) -> bool:
        """Whether something of the next request has been received."""
        return bool(self._buffer) or any(self._dataBuffer)

    def take_turn(self) -> None:
        """Take the next request, or close the connection."""
        request, self._answered = self._answered, None
        if request is None:
            return
        self._enter(Phase.IDLE)
        try:
            super().requestDone(request)
        except Exception:  # what the transport does where it is read at once
            self.transport.abortConnection()
            raise

    def loseConnection(self) -> None:
        self._enter(Phase.CLOSING)
        self._writer.lose()

    def readConnectionLost(self) -> None:
        """The peer sends nothing more; the requests that it sent before are still answered.

        Called again whenever the next request is taken.  A peer that only waits for one
        answer, to a poll for instance, counts as gone.
        """
        if self._answered is None and self._taken is None:
            self.transport.loseConnection()

    def _send100Continue(self) -> None:
        self.write(b"HTTP/1.1 100 Continue\r\n\r\n")  # Twisted's own would come after the answer

    def writeConnectionLost(self) -> None:
        """Nothing: that was ours to do."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self.release()

    def release(self) -> None:
        """Drop all references: the connection is gone, or has become a WebSocket.

        Else a request that is still referred to would keep everything that was written.
        """
        self.site.expiry.forget(self)
        self.site.turns.forget(self)
        self._writer.stop()
        for request in self.requests:
            request.transport = None
        self.requests = []
        self._transferDecoder = self._answered = None

    # -- the other end ----------------------------------------------------------------

    @property
    def is_secure(self) -> bool:
        """Whether the connection is encrypted."""
        return not self.is_bare and bool(ISSLTransport.providedBy(self.transport))

    def getHost(self) -> Any:
        """Our own address, kept: each look-up is a system call, and every request needs it."""
        if self._host is None:
            self._host = self.transport.getHost()
        return self._host

    def getPeer(self) -> Any:
        """The other end's address, kept; behind HAProxy it is known from the first request on."""
        if self._peer is None:
            self._peer = self.transport.getPeer()
        return self._peer

    # -- writing ----------------------------------------------------------------------

    def writeHeaders(
        self, version: bytes, code: bytes, reason: bytes, headers: Headers, lines: bytes = b""
    ) -> None:
        """Keep the head until the body comes: both go out in one write."""
        request = self.requests[0]
        first = b"%b %b %b" % (version, code, reason)
        own = request.verdict_lines + request.header_lines + lines
        self._head = head(first, self.site.date_line(), own, headers)

    def write(self, data: bytes) -> None:
        """Send as much as the socket takes now; the rest waits until the client reads."""
        data, self._head = self._head + data, b""
        if data and not self._writer.write(data) and self._taken is None:
            self._wait_for_reader()

    def _wait_for_reader(self) -> None:
        self._taken = self._writer.taken
        self.site.expiry.watch(self, self.site.limits.flush_seconds)

    def _emptied(self) -> None:
        """The client has read everything that waited."""
        self._taken = None
        self._enter(self._phase)
        if self._answered is not None:
            self._wait_for_turn()
        elif self._phase is Phase.REJECTED:
            self._stop_writing()

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        self.write(b"".join(iovec))

    # -- what we do not take ----------------------------------------------------------

    def reject(self, status: int) -> None:
        """Answer with an error and close: the bytes that follow cannot be interpreted.

        The peer may still be sending.  If the socket were closed at once, it would see a reset
        instead of the answer, so only the writing side is closed.
        """
        if self.is_over:
            return
        self._enter(Phase.REJECTED)
        agent = self.requests[-1].getHeader("user-agent") if self.requests else None
        body = self.site.rejection(self._path, status, agent or "")
        self.write(rejection(status, self._cors(), body))
        if self._taken is None:
            self._stop_writing()

    def _stop_writing(self) -> None:
        if self.is_bare:
            self.transport.loseWriteConnection()
        else:
            self._writer.lose()

    def _cors(self) -> bytes:
        """Header lines that let a page read the answer.

        Empty where the Origin was not read, as for a URL that is too long (414).
        """
        return (
            self.site.cors(self.requests[-1], self._path) if self.requests and self._path else b""
        )

    def _part_received(self) -> None:
        super()._part_received()
        if self._phase is Phase.IDLE and (self._buffer or self.requests):
            self._enter(Phase.HEAD)
