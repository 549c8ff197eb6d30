"""A TLS connection that is read as a bare socket is: whatever came in one read, in one piece.

Twisted's hands on each record by itself.  A client that puts each byte into a record of its own
would cost thousands of calls in one turn, and no rate that counts bytes would see it.  What TLS
itself says, as in the handshake, is sent at once: Twisted's waits for another turn, which costs
two more system calls.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol

from gateway.web.http.counting import bare
from gateway.web.http.openssl import decrypted, encrypted
from gateway.web.http.tls_writer import is_bare

if TYPE_CHECKING:
    from twisted.internet.tcp import Port

MOST_ANSWERED = 65536
"""Bytes that TLS itself may answer to what comes after the handshake, for as long as the connection
lasts: 2,400 changes of keys, of which clients ask for one in 100 GB."""


class TlsConnection(TLSMemoryBIOProtocol):
    """Twisted's, but for how it is read, and without waiting for another turn to write.

    TLS answers some of what the peer says by itself, such as a wish for new keys, whether the peer
    reads the answers or not.  Nothing else bounds them, so that here they are counted.
    """

    transport: Any
    _answered = 0
    """Bytes of those answers."""

    def _flushReceiveBIO(self) -> None:
        if self._lostTLSConnection:
            return
        connection: Any = self.getHandle()
        said, is_all = decrypted(connection)
        if answer := encrypted(connection):
            self._answered += len(answer)
            self._say(answer)
            if self._answered > MOST_ANSWERED:
                self.abortConnection()
        if said and not self._aborted:
            ProtocolWrapper.dataReceived(self, said)
        if not is_all:  # Twisted knows what to do about each reason
            super()._flushReceiveBIO()

    def _flushSendBIO(self) -> None:
        if said := encrypted(self.getHandle()):
            self._say(said)

    def _say(self, said: bytes) -> None:
        """Send what TLS itself says, behind what waits below."""
        below = bare(self.transport)
        if is_bare(below) and below.connected and not (below.dataBuffer or below._tempDataBuffer):
            with suppress(OSError):  # full; any other error is seen by the transport, too
                said = said[below.getHandle().send(said) :]
        if said:
            self.transport.write(said)


def read_whole(port: Port) -> None:
    """Have `port` make connections of this kind, where it speaks TLS."""
    factory: Any = port.factory
    while isinstance(factory, WrappingFactory):
        if isinstance(factory, TLSMemoryBIOFactory):
            factory.protocol = TlsConnection
        factory = factory.wrappedFactory
