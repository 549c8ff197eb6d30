"""An HTTPS server that takes alerts, with an authority of its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from twisted.internet import reactor
from twisted.internet.ssl import PrivateCertificate
from twisted.internet.tcp import Client as Connection
from twisted.protocols.policies import WrappingFactory
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from tests.patience import PATIENCE
from tests.worker.real import soon

if TYPE_CHECKING:
    from pathlib import Path

    from twisted.web.http import Request

DAY = timedelta(days=1)


class Authority:
    """Signs certificates, and is trusted by who has its own."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "An authority")])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        builder = self._builder(self._name, self._key).add_extension(constraints, critical=True)
        self._certificate = builder.sign(self._key, SHA256())

    def write(self, path: Path) -> Path:
        """Write the authority's own certificate to `path`."""
        path.write_bytes(self._certificate.public_bytes(Encoding.PEM))
        return path

    def issue(self, *names: str, until: datetime | None = None) -> PrivateCertificate:
        """A certificate, with its key, for host names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
        certificate = (
            self._builder(subject, key, until)
            .add_extension(x509.SubjectAlternativeName([*map(_name, names)]), critical=False)
            .sign(self._key, SHA256())
        )
        return PrivateCertificate.loadPEM(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + certificate.public_bytes(Encoding.PEM)
        )

    def _builder(
        self, subject: x509.Name, key: Any, until: datetime | None = None
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * DAY)
            .not_valid_after(until or now + DAY)
        )


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


class Hook(Resource):
    """Remembers what is posted; answers with the next of `statuses`, 204 when there is none.

    A status of 0 is no answer at all.
    """

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[Any] = []
        self.paths: list[str] = []
        self.content_types: list[str] = []
        self.sent: list[dict[str, str]] = []
        self.statuses: list[int] = []
        self.headers: dict[str, str] = {}
        self.body = b""

    def render_POST(self, request: Request) -> bytes | int:
        assert request.content is not None
        self.posted.append(json.loads(request.content.read()))
        self.paths.append(request.uri.decode())
        self.content_types.append(request.getHeader("content-type") or "")
        names = ("authorization", "x-line-retry-key")
        self.sent.append({name: request.getHeader(name) or "" for name in names})
        status = self.statuses.pop(0) if self.statuses else 204
        if not status:
            return NOT_DONE_YET
        request.setResponseCode(status)
        for name, value in self.headers.items():
            request.setHeader(name, value)
        return self.body


class ReceiverTestCase(TestCase):
    """Serves `self.hook` at `https://localhost:{self.port}`."""

    timeout = 2 * PATIENCE

    def setUp(self) -> None:
        self.authority = Authority()
        self.hook = Hook()

    def listen(self, *names: str, **how: Any) -> None:
        """Serve with a certificate for `names`, else for localhost."""
        certificate = self.authority.issue(*(names or ("localhost",)), **how)
        site = Site(self.hook)
        site.noisy = False
        site.log = lambda request: None  # its own log would hold what ours must not
        self.visitors = WrappingFactory(site)
        port: Any = reactor.listenSSL(  # type: ignore[attr-defined]
            0, self.visitors, certificate.options(), interface="127.0.0.1"
        )
        self.port = port.getHost().port
        self.addCleanup(self._close, port)

    async def _close(self, port: Any) -> None:
        for visitor in list(self.visitors.protocols):
            visitor.transport.abortConnection()
        await port.stopListening()
        await soon(self.has_hung_up)

    def has_hung_up(self) -> bool:
        """Whether no connection is left, on either side."""
        ours = [each for each in reactor.getReaders() if isinstance(each, Connection)]  # type: ignore[attr-defined]
        return not self.visitors.protocols and not ours
