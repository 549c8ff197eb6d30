"""The PROXY protocol: what is taken for an announcement, and whose word counts."""

from ipaddress import ip_address
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gateway.common.rate import Throttle
from gateway.web.http.proxy_protocol import BINARY, LONGEST_BINARY, ProxyProtocolFactory, parse
from gateway.web.security.guard import Guard
from gateway.web.security.guard_settings import GuardSettings


def binary(command: int, stream: int, body: bytes, size: int | None = None) -> bytes:
    length = len(body) if size is None else size
    return BINARY + bytes((command, stream)) + length.to_bytes(2, "big") + body


BODY4 = bytes((198, 51, 100, 7, 127, 0, 0, 1, 0x30, 0x39, 0x0B, 0xB9))
BODY6 = ip_address("2001:db8::7").packed + ip_address("::1").packed + b"\x30\x39\x0b\xb9"
FINE = {
    b"PROXY TCP4 198.51.100.7 127.0.0.1 12345 3001\r\n": "198.51.100.7",
    b"PROXY TCP6 2001:db8::7 ::1 12345 3001\r\n": "2001:db8::7",
    b"PROXY TCP6 ::ffff:198.51.100.7 ::1 12345 3001\r\n": "198.51.100.7",
    b"PROXY UNKNOWN\r\n": None,
    b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n": None,
    binary(0x21, 0x11, BODY4): "198.51.100.7",
    binary(0x21, 0x21, BODY6 + b"\x03\x00\x04abcd"): "2001:db8::7",
    binary(0x20, 0x00, b""): None,  # LOCAL
    binary(0x20, 0x11, BODY4): None,
    binary(0x21, 0x00, b"anything"): None,  # UNSPEC
    binary(0x21, 0x31, bytes(216)): None,  # UNIX
}
WRONG = [
    b"GET / HTTP/1.1\r\n",
    b"PROXY TCP4 999.1.1.1 127.0.0.1 1 2\r\n",
    b"PROXY TCP4 2001:db8::7 ::1 1 2\r\n",
    b"PROXY TCP6 198.51.100.7 127.0.0.1 1 2\r\n",
    b"PROXY TCP4 198.51.100.7 nowhere 1 2\r\n",
    b"PROXY TCP4 198.51.100.7 127.0.0.1 65536 2\r\n",
    b"PROXY TCP4 198.51.100.7 127.0.0.1 -1 2\r\n",
    b"PROXY TCP4 198.51.100.7 127.0.0.1 1\r\n",
    b"PROXY TCP4 198.51.100.7 127.0.0.1 1 2 3\r\n",
    b"PROXY TCP5 a b 1 2\r\n",
    b"PROXY \r\n",
    b"PROXY " + 110 * b"9",
    b"PROXY TCP4 198.51.100.7 127.0.0.1 " + 5000 * b"1" + b" 2\r\n",
    b"PROXY TCP4 \xff 127.0.0.1 1 2\r\n",
    binary(0x22, 0x11, BODY4),
    binary(0x31, 0x11, BODY4),
    binary(0x21, 0x11, BODY4[:-1]),
    binary(0x21, 0x11, b"", LONGEST_BINARY),
]


class ParseTests(SynchronousTestCase):
    def test_what_is_said(self) -> None:
        for head, client in FINE.items():
            with self.subTest(head=head):
                said = parse(head + b"GET / HTTP/1.1\r\n")
                assert said is not None
                self.assertEqual(said.size, len(head))
                self.assertEqual(said.client, ip_address(client) if client else None)
                self.assertEqual(said.port, 12345 if client else 0)

    def test_it_may_come_in_pieces(self) -> None:
        for head in FINE:
            for size in range(len(head)):
                self.assertIsNone(parse(head[:size]), head[:size])

    def test_what_can_not_become_one(self) -> None:
        for head in WRONG:
            with self.subTest(head=head[:60]):
                self.assertRaises(ValueError, parse, head)

    @settings(deadline=None)
    @given(
        st.binary() | st.builds(bytes.__add__, st.sampled_from([BINARY, b"PROXY "]), st.binary())
    )
    def test_any_bytes_are_one_or_not(self, data: bytes) -> None:
        try:
            said = parse(data)
        except ValueError:
            return
        self.assertTrue(said is None or said.size <= len(data))


class Above(Protocol):
    """What is above an announcement: remembers what comes, and from whom."""

    def __init__(self) -> None:
        self.received = b""

    def dataReceived(self, data: bytes) -> None:
        self.received += data


class AboveFactory:
    def buildProtocol(self, address: Any) -> Above:
        return Above()


class Transport(StringTransport):
    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True


class AnnouncedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.events: list[dict] = []
        globalLogPublisher.addObserver(self.events.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)

    def connect(self, peer: Any, *trusted: str) -> tuple[Any, Transport]:
        guard = Guard(GuardSettings(trusted_proxies=trusted))
        factory = ProxyProtocolFactory(
            AboveFactory(), guard.proxies.believes, Throttle(lambda: 0.0)
        )
        if isinstance(peer, str):
            peer = IPv4Address("TCP", peer, 50000)
        protocol, transport = factory.buildProtocol(peer), Transport(peerAddress=peer)
        protocol.makeConnection(transport)
        return protocol, transport

    def peer(self, peer: Any, head: bytes, *trusted: str) -> str | None:
        """The client's address as it is seen above; None when the connection is cut off."""
        protocol, transport = self.connect(peer, *trusted)
        for byte in (head + b"hello").partition(b"X"):
            protocol.dataReceived(byte)
        if transport.aborted:
            return None
        self.assertEqual(protocol.wrappedProtocol.received, b"hello")
        return str(getattr(protocol.wrappedProtocol.transport.getPeer(), "host", "unix"))

    def test_this_machine_and_trusted_proxies_are_believed(self) -> None:
        head = b"PROXY TCP4 198.51.100.7 127.0.0.1 1 2\r\n"
        self.assertEqual(self.peer("127.0.0.1", head), "198.51.100.7")
        self.assertEqual(self.peer(UNIXAddress(b"/x"), head), "198.51.100.7")
        self.assertEqual(self.peer("10.0.0.1", head, "10.0.0.0/8"), "198.51.100.7")

    def test_nobody_else_is(self) -> None:
        for client in (b"198.51.100.7", b"127.0.0.1", b"10.0.0.1"):
            head = b"PROXY TCP4 %s 127.0.0.1 1 2\r\n" % client
            self.assertEqual(self.peer("203.0.113.9", head, "10.0.0.0/8"), "203.0.113.9")

    def test_doubts_are_one_line_that_names_the_option(self) -> None:
        protocol, _ = self.connect("203.0.113.9")
        for _ in range(5):
            protocol.factory.doubt("203.0.113.9")
        (line,) = [formatEvent(each) for each in self.events if "PROXY" in each["log_format"]]
        self.assertIn("203.0.113.9", line)
        self.assertIn("--trusted-proxies", line)

    def test_another_machines_loopback_is_that_machine(self) -> None:
        head = b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"
        self.assertEqual(self.peer("10.0.0.1", head, "10.0.0.0/8"), "10.0.0.1")
        self.assertEqual(self.peer("127.0.0.1", head), "127.0.0.1")

    def test_who_is_not_told_is_the_peer_itself(self) -> None:
        for head, client in FINE.items():
            if client is None:
                self.assertEqual(self.peer("127.0.0.1", head), "127.0.0.1", head)
                self.assertEqual(self.peer("203.0.113.9", head), "203.0.113.9", head)

    def test_what_is_wrong_costs_the_connection_and_nothing_else(self) -> None:
        for head in WRONG:
            self.assertIsNone(self.peer("127.0.0.1", head), head[:60])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_what_comes_later_is_no_announcement(self) -> None:
        protocol, _ = self.connect("127.0.0.1")
        first, later = b"PROXY TCP4 198.51.100.7 127.0.0.1 1 2\r\n", b"PROXY UNKNOWN\r\n"
        protocol.dataReceived(first + later)
        self.assertEqual(protocol.wrappedProtocol.received, later)
        self.assertEqual(protocol.getPeer().host, "198.51.100.7")
