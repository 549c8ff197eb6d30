"""Reading TLS: each read in one piece; what TLS answers by itself is bounded."""

from errno import EPIPE
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from twisted.internet.error import ConnectionAborted, ConnectionLost
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.policies import WrappingFactory
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.openssl import lib
from gateway.web.http.tls_connection import MOST_ANSWERED, TlsConnection, read_whole
from tests.web.tls_wire import Creator, TlsWire

HANDSHAKE, DATA = 22, 23
WISH = b"\x18\0\0\1\1"
"""A KeyUpdate that wants one of the other end."""


class RecordLayer:
    """What a client of TLS 1.3 writes by hand after its handshake.

    Source: RFC 8446, sections 4.6.3, 5.2, 5.3, 7.1 and 7.2.
    """

    def __init__(self, secret: bytes) -> None:
        self._use(secret)

    def record(self, content: bytes, kind: int = DATA) -> bytes:
        """`content` in a record."""
        plain = content + bytes([kind])
        head = b"\x17\3\3" + (len(plain) + 16).to_bytes(2)
        nonce = (int.from_bytes(self._iv) ^ self._count).to_bytes(12)
        self._count += 1
        return head + self._cipher.encrypt(nonce, plain, head)

    def skip(self, count: int) -> None:
        """`count` records were written already."""
        self._count += count

    def new_keys(self) -> bytes:
        """Ask for new keys, and use new ones from then on."""
        said = self.record(WISH, HANDSHAKE)
        self._use(self._derived(b"traffic upd", 48))
        return said

    def _use(self, secret: bytes) -> None:
        self._secret, self._count = secret, 0
        self._cipher = AESGCM(self._derived(b"key", 32))
        self._iv = self._derived(b"iv", 12)

    def _derived(self, label: bytes, size: int) -> bytes:
        name = b"tls13 " + label
        info = size.to_bytes(2) + bytes([len(name)]) + name + b"\0"
        return HKDFExpand(SHA384(), size, info).derive(self._secret)


class Heard(Protocol):
    """What it hears, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:
        self.pieces.append(data)
        if data.startswith(b"fail"):
            raise ValueError("as the test wants it")
        if data.startswith(b"end"):
            self.transport.abortConnection()


class ReadingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = TlsWire(Factory.forProtocol(Heard))
        self.heard: list[bytes] = self.wire.tls.wrappedProtocol.pieces

    def test_what_came_in_one_read_is_one_piece(self) -> None:
        self.wire.say(*[b"x"] * 1000)
        self.wire.say(b"one", b"two")
        self.assertEqual(self.heard, [b"x" * 1000, b"onetwo"])

    def test_a_record_that_comes_in_parts_is_heard_when_it_is_whole(self) -> None:
        self.wire.client.send(b"one")
        said = self.wire.client.bio_read(1000)
        for byte in said[:-1]:
            self.wire.tls.dataReceived(bytes([byte]))
        self.assertEqual(self.heard, [])
        self.wire.tls.dataReceived(said[-1:])
        self.assertEqual(self.heard, [b"one"])

    def test_what_comes_before_the_end_is_heard(self) -> None:
        self.wire.client.send(b"last words")
        self.wire.client.shutdown()
        self.wire._hear()
        self.wire.take()
        self.assertEqual(self.heard, [b"last words"])
        self.assertIsNotNone(self.wire.why)

    def test_what_comes_before_something_that_is_no_tls_is_heard(self) -> None:
        self.wire.client.send(b"last words")
        self.wire.tls.dataReceived(self.wire.client.bio_read(1000) + b"GET / HTTP/1.1\r\n\r\n")
        self.wire.below.take()
        self.assertEqual(self.heard, [b"last words"])
        self.assertIsNotNone(self.wire.why)
        self.assertEqual(lib.ERR_peek_error(), 0, "the next connection's")

    def test_nothing_is_heard_after_we_ended_it(self) -> None:
        self.wire.say(b"end")
        self.wire.say(b"more")
        self.assertEqual(self.heard, [b"end"])
        self.wire.turn()
        self.assertIs(self.wire.why, ConnectionAborted)

    def test_an_error_above_goes_to_the_transport(self) -> None:
        self.assertRaises(ValueError, self.wire.say, b"fail")


class AnswersTests(SynchronousTestCase):
    """TLS answers wishes for new keys by itself."""

    def setUp(self) -> None:
        self.wire = TlsWire(Factory.forProtocol(Heard))
        self.client = RecordLayer(self.wire.secrets[b"CLIENT_TRAFFIC_SECRET_0"])

    def hear(self, data: bytes) -> None:
        self.wire.tls.dataReceived(data)

    def test_a_client_may_ask_for_new_keys(self) -> None:
        self.hear(b"".join(self.client.new_keys() for _ in range(100)) + self.client.record(b"hi"))
        self.assertEqual(self.wire.tls.wrappedProtocol.pieces, [b"hi"])
        self.assertEqual(self.wire.kernel.calls, 1, "the answers, all in one")
        self.assertEqual(self.wire.buffered, 0)
        self.assertFalse(self.wire.tls.disconnecting)

    def test_one_that_goes_on_asking_is_dropped_whether_it_reads_or_not(self) -> None:
        for room in (0, None):
            self.setUp()
            self.wire.kernel.room = room
            for _ in range(10):
                if not self.wire.tls.disconnecting:
                    self.hear(b"".join(self.client.new_keys() for _ in range(500)))
                    self.assertLess(self.wire.buffered, MOST_ANSWERED + 30_000)
            self.wire.turn()
            self.assertIs(self.wire.why, ConnectionAborted)


class HandshakeTests(SynchronousTestCase):
    """What TLS itself says is sent at once."""

    def setUp(self) -> None:
        self.wire = TlsWire(Factory.forProtocol(Heard), shaken=False)

    def test_the_first_word_is_answered_within_its_read(self) -> None:
        self.wire.hear()
        self.assertEqual(self.wire.kernel.calls, 1)
        self.assertNotIn(self.wire.below, self.wire.below.reactor.writers)
        self.wire.read()
        self.wire.hear()
        self.wire.read()
        self.wire.say(b"hi")
        self.assertEqual(self.wire.tls.wrappedProtocol.pieces, [b"hi"])

    def test_what_the_socket_does_not_take_keeps_its_place(self) -> None:
        self.wire.kernel.room = 100
        self.wire.hear()
        self.assertGreater(self.wire.buffered, 0)
        self.wire.kernel.room = None
        self.wire.shake()
        self.wire.say(b"hi")
        self.assertEqual(self.wire.tls.wrappedProtocol.pieces, [b"hi"])

    def test_an_error_of_the_socket_ends_the_connection(self) -> None:
        self.wire.kernel.error = EPIPE
        self.wire.hear()
        self.assertIn(self.wire.below, self.wire.below.reactor.writers)
        self.assertIsInstance(self.wire.below.doWrite(), ConnectionLost)

    def test_the_end_of_a_connection_that_is_gone_says_nothing(self) -> None:
        self.wire.hear()
        calls = self.wire.kernel.calls
        self.wire.below.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(self.wire.kernel.calls, calls)


class KindTests(SynchronousTestCase):
    def test_the_connections_of_a_port_that_speaks_tls_are_read_so(self) -> None:
        plain = Factory.forProtocol(Protocol)
        tls = TLSMemoryBIOFactory(Creator(), False, plain, clock=object())  # type: ignore[arg-type]
        for factory in (plain, tls, WrappingFactory(tls)):
            port: Any = type("Port", (), {"factory": factory})
            read_whole(port)
        self.assertIs(type(tls.buildProtocol(None)), TlsConnection)
