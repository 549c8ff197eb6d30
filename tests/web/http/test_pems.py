"""Folders of certificates: what belongs together is found, however it is spread over files."""

import contextlib
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from OpenSSL.SSL import TLS_METHOD, Connection, Context, WantReadError
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http import pems
from tests.web.certificates import write_certificate


def served(context: Context) -> list[str]:
    """The subjects of the certificates that a client is sent."""
    server, client = Connection(context, None), Connection(Context(TLS_METHOD), None)
    server.set_accept_state()
    client.set_connect_state()
    for _ in range(4):
        for here, there in ((client, server), (server, client)):
            with contextlib.suppress(WantReadError):
                here.do_handshake()
            with contextlib.suppress(WantReadError):
                there.bio_write(here.bio_read(65536))
    chain = client.get_peer_cert_chain(as_cryptography=True) or []
    return [each.subject.rfc4514_string() for each in chain]


class PemTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        (self.folder / "below").mkdir(parents=True)

    def test_a_key_and_its_certificate_may_be_in_several_files(self) -> None:
        both = self.folder / "both.txt"  # of another kind: not looked at
        for name in ("One.example", "two.example"):
            write_certificate(both, name)
            key, begin, certificate = both.read_bytes().partition(b"-----BEGIN CERTIFICATE")
            (self.folder / f"{name}.key.pem").write_bytes(key)
            (self.folder / "below" / f"{name}.pem").write_bytes(b"text\n" + begin + certificate)
        contexts = pems.read(self.folder)
        self.assertEqual(sorted(contexts), ["one.example", "two.example"])
        self.assertEqual(served(contexts["one.example"]), ["CN=One.example"])
        self.assertEqual(served(contexts["two.example"]), ["CN=two.example"])

    def test_who_signed_it_is_sent_too_but_no_root(self) -> None:
        root, middle = self.folder / "root.pem", self.folder / "middle.pem"
        write_certificate(root, "root")
        write_certificate(middle, "middle", by=root)
        write_certificate(self.folder / "a.pem", "a.example", by=middle)
        for file in (root, middle):  # their keys are elsewhere
            certificate = load_pem_x509_certificate(file.read_bytes())
            file.write_bytes(certificate.public_bytes(Encoding.PEM))
        contexts = pems.read(self.folder)
        self.assertEqual(list(contexts), ["a.example"])
        self.assertEqual(served(contexts["a.example"]), ["CN=a.example", "CN=middle"])

    def test_nothing_to_serve(self) -> None:
        write_certificate(self.folder / "a.txt", "a.example")
        (self.folder / "a.pem").write_text("no PEM at all")
        error = self.assertRaises(ValueError, pems.read, self.folder)
        self.assertIn(str(self.folder), str(error))
