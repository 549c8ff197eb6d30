"""Writing to a TLS connection at once, as to a bare socket; and which writer a transport gets.

Twisted collects small writes to a TLS connection until the next reactor turn, and schedules a call
for each connection; that costs more than encrypting them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IPullProducer, IPushProducer
from twisted.internet.tcp import Connection
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import classImplements

from gateway.web.http.counting import bare
from gateway.web.http.openssl import RECORD, encrypted, lib, record, room
from gateway.web.http.writer import CHUNK, NOTHING, BufferedWriter, DirectWriter, Writer

if TYPE_CHECKING:
    from collections.abc import Callable


class TlsWriter(Writer):
    """Encrypts and sends to the socket while nothing waits.

    `below` is the transport of the TLS connection.  What its socket does not take lies there,
    at most one record; the rest is not encrypted before that is gone.  What TLS itself has to say
    goes there too, and is not overtaken.
    """

    __slots__ = ("_below", "_bio", "_handed_over", "_send", "_ssl", "_tls")

    def __init__(self, tls: Any, below: Any, on_room: Callable[[], None]) -> None:
        super().__init__(tls, on_room)
        self._tls = tls
        self._below = below
        connection: Any = tls.getHandle()
        self._ssl, self._bio = connection._ssl, connection._from_ssl
        self._send = below.getHandle().send
        self._handed_over = False

    @property
    def at_once(self) -> Callable[[bytes], int] | None:
        return self._pass if self._waiting is None else None

    def write(self, data: bytes) -> bool:
        if self._waiting is not None:
            return self._later(data)
        count = self._pass(data)  # mostly all of it
        if count == len(data) and not self._is_blocked:
            return True
        self._rest = memoryview(data)[count:]
        if self._pump():
            return True
        self._waiting = b""
        self._watch()
        return False

    @property
    def _is_blocked(self) -> bool:
        """Whether something waits below, or for what the peer has to say first."""
        below = self._below
        return bool(below.dataBuffer or below._tempDataBuffer or self._handed_over)

    def _pump(self) -> bool:
        """Send until something blocks; whether nothing is left."""
        while not self._is_blocked:
            if not self._rest:
                if not self._waiting:
                    return True
                self._rest, self._waiting = memoryview(self._waiting), b""
            self.taken += 1
            chunk = bytes(self._rest[:CHUNK])
            count = self._pass(chunk) or self._hand_over(chunk)
            self._rest = self._rest[count:] if len(self._rest) > count else NOTHING
        return False

    def _pass(self, data: bytes) -> int:
        """Encrypt the beginning of `data`, at most one record, and send it; its length.

        0: something waits below, or is too long, or TLS must hear the peer first.
        """
        below, size = self._below, len(data)
        if not 0 < size <= CHUNK or below.dataBuffer or below._tempDataBuffer:
            return 0
        count: int = lib.SSL_write(self._ssl, data, size)
        if count <= 0:
            lib.ERR_clear_error()  # before OpenSSL 4 the next connection would take it for its own
            return 0
        size = lib.BIO_read(self._bio, room, RECORD)
        try:
            sent = self._send(record[:size])
        except OSError:  # full; any other error is seen by the transport, too
            sent = 0
        if sent < size:
            below.write(bytes(record[sent:size]))
        if size == RECORD:  # something of TLS's own was before it
            below.write(encrypted(self._tls.getHandle()))
        return count

    def _hand_over(self, data: bytes) -> int:
        """Let Twisted write `data`: TLS must hear the peer first, or fails."""
        self._below.unregisterProducer()
        self._handed_over = True
        self._tls.registerProducer(self, True)
        TLSMemoryBIOProtocol.write(self._tls, data)
        return len(data)

    def _watch(self) -> None:
        """Be asked for more when nothing waits below any more, or at once."""
        if not self._handed_over:
            self._below.registerProducer(self, False)

    def pauseProducing(self) -> None:
        """Nothing: it is what `_hand_over` waits for the end of."""

    def resumeProducing(self) -> None:
        if self._handed_over:
            self._handed_over = False
            self._tls.unregisterProducer()
            self._watch()
            return
        if self._is_blocked:
            return
        if self._pump():
            self._below.unregisterProducer()
            self._emptied()

    def stopProducing(self) -> None:
        self.stop()


def writer_for(transport: Any, on_room: Callable[[], None]) -> Writer:
    """The fastest writer that `transport` allows."""
    if is_bare(transport):
        if not (transport.dataBuffer or transport._tempDataBuffer):  # nothing to overtake
            return DirectWriter(transport, on_room)
    elif isinstance(transport, TLSMemoryBIOProtocol) and is_bare(below := bare(transport)):
        return TlsWriter(transport, below, on_room)
    return BufferedWriter(transport, on_room)


def is_bare(transport: Any) -> bool:
    """Whether `transport` is a socket's own, without TLS."""
    return isinstance(transport, Connection) and not transport.TLS


classImplements(TlsWriter, IPullProducer, IPushProducer)
