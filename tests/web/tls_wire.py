"""A TLS connection of Twisted over a kernel in memory, and the client at its other end."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from gateway.web.http.tls_connection import TlsConnection
from tests.web.certificates import write_certificate
from tests.web.wire import Kernel, Wire

SEGMENT = 65536


def _context() -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "server.pem"
        write_certificate(file, "localhost")
        context.use_privatekey_file(str(file))
        context.use_certificate_file(str(file))
    return context


CONTEXT = _context()


@implementer(IOpenSSLServerConnectionCreator)
class Creator:
    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        return SSL.Connection(CONTEXT, None)


class TlsWire:
    """Our end is `tls`; looks like a `Wire` whose peer reads what it can decrypt.

    `site` makes the protocol above TLS; `secrets` has those of the client, as it logs them.
    """

    def __init__(self, site: Any = None, *, shaken: bool = True) -> None:
        factory = TLSMemoryBIOFactory(
            Creator(), False, site or Factory.forProtocol(Protocol), clock=MemoryReactorClock()
        )
        factory.protocol = TlsConnection
        self.tls: Any = factory.buildProtocol(None)
        self.below = Wire(self.tls)
        self.kernel: Kernel = self.below.kernel
        self.secrets: dict[bytes, bytes] = {}
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_keylog_callback(self._log)
        self.client = SSL.Connection(context, None)
        self.client.set_connect_state()
        self.received = b""
        self._seen = 0
        self.tls.makeConnection(self.below)
        if shaken:
            self.shake()

    def shake(self) -> None:
        """The handshake, from the client's first word."""
        for _ in range(3):
            self.hear()
            self.below.take()
            self.read()
        self.kernel.calls = 0

    def hear(self) -> None:
        """Hear what the client says."""
        with suppress(SSL.WantReadError):
            self.client.do_handshake()
        self._hear()

    def say(self, *records: bytes) -> None:
        """The client says `records`, all of which are there for one read."""
        for data in records:
            self.client.send(data)
        self._hear()

    def _log(self, _: SSL.Connection, line: bytes) -> None:
        name, _, secret = line.split()
        self.secrets[name] = bytes.fromhex(secret.decode())

    def _hear(self) -> None:
        try:
            said = self.client.bio_read(SEGMENT)
        except SSL.WantReadError:
            return
        if self.below.connected:
            self.tls.dataReceived(said)

    def read(self) -> None:
        """The client reads what the kernel has."""
        new, self._seen = self.kernel.sent[self._seen :], len(self.kernel.sent)
        if new:
            self.client.bio_write(new)
        try:
            while True:
                self.received += self.client.recv(SEGMENT)
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.client.shutdown()
            self._hear()

    def take(self, size: int | None = None) -> None:
        self.below.take(size)
        self.read()
        if self.client.get_shutdown():  # both have said that it is over
            self.below.take()

    def turn(self) -> None:
        self.below.turn()

    @property
    def why(self) -> type[Exception] | None:
        return self.below.why

    @property
    def buffered(self) -> int:
        return self.below.buffered

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tls, name)
