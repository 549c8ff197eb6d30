"""Host names and origins as requests carry them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.security.addresses import (
    address_key,
    is_loopback,
    parse_address,
    parse_app_origin,
    parse_client,
    parse_host,
    parse_origin,
)

LOOPBACK = [
    b"localhost",
    b"LocalHost",
    b"localhost.",
    b"localhost:3001",
    b"app.localhost",
    b"a.b.localhost:80",
    b"127.0.0.1",
    b"127.255.0.9:1",
    b"[::1]",
    b"[0:0:0:0:0:0:0:1]:3001",
    b"[::ffff:127.0.0.1]",
]
FOREIGN = [
    b"example.com",
    b"localhost.example.com",
    b"notlocalhost",
    b"localhost-evil.com",
    b"127.0.0.1.nip.io",
    b"127.1",
    b"0x7f.0.0.1",
    b"2130706433",
    b"127.0.0.01",
    b"192.168.1.5",
    b"0.0.0.0",
    b"[::]",
    b"[fe80::1]",
    b"[::ffff:10.0.0.1]",
    b"xn--lcalhost-9ib",
]
NO_HOST = [
    b"",
    b":80",
    b"a b",
    b"localhost:",
    b"localhost:port",
    b"localhost:99999",
    b"localhost:123456",
    b"user@localhost",
    b"localhost@evil.com",
    b"localhost/",
    b"localhost#",
    b"localhost\\",
    b"local%68ost",
    b".localhost",
    b"a..localhost",
    b"localhost..",
    b"::1",
    b"[::1",
    b"[::1]x",
    b"[fe80::1%25eth0]",
    b"[127.0.0.1]",
    b"[]",
    b"localhost,evil.com",
    b"caf\xc3\xa9",
]


class HostTests(SynchronousTestCase):
    def test_loopback(self) -> None:
        for value in LOOPBACK:
            host = parse_host(value)
            self.assertTrue(host and host.is_loopback, value)

    def test_not_loopback(self) -> None:
        for value in FOREIGN:
            host = parse_host(value)
            self.assertTrue(host and not host.is_loopback, value)

    def test_no_host_at_all(self) -> None:
        for value in NO_HOST:
            self.assertIsNone(parse_host(value), value)

    def test_addresses_have_one_form(self) -> None:
        host = parse_host(b"[2001:DB8:0::1]:8080")
        assert host is not None
        self.assertEqual((host.name, host.port), ("2001:db8::1", 8080))

    def test_only_a_real_address_is_a_literal(self) -> None:
        literal = {value: parse_host(value) for value in (b"10.0.0.1", b"0.0.0.0", b"a.example")}
        self.assertEqual(
            [host and host.is_literal for host in literal.values()], [True, False, False]
        )

    @given(st.binary(max_size=40))
    @settings(max_examples=300, deadline=None)
    def test_any_bytes_are_a_host_or_none(self, value: bytes) -> None:
        host = parse_host(value)
        if host is not None and host.is_loopback:
            name = host.name
            self.assertTrue(
                name == "::1"
                or name == "localhost"
                or name.endswith(".localhost")
                or name.startswith("127.")
            )


class OriginTests(SynchronousTestCase):
    def test_the_port_is_never_left_out(self) -> None:
        for value, port in ((b"http://a.example", 80), (b"https://a.example", 443)):
            origin = parse_origin(value)
            assert origin is not None
            self.assertEqual(origin.host.port, port)

    def test_the_same_origin_in_several_spellings(self) -> None:
        spellings = [b"http://a.example", b"HTTP://A.Example", b"http://a.example.:80"]
        self.assertEqual(len({parse_origin(value) for value in spellings}), 1)

    def test_what_is_no_origin(self) -> None:
        for value in (
            b"null",
            b"*",
            b"app:",
            b"app:/name",
            b"app://a/",
            b"app://a b",
            b"app://a@b",
            b"1app://a",
            b"https://",
            b"http://localhost/",
        ):
            self.assertIsNone(parse_app_origin(value), value)
        self.assertIsNone(parse_app_origin(b"wss://a.example"))
        for value in (
            b"",
            b"null",
            b"localhost",
            b"ftp://localhost",
            b"http:localhost",
            b"http:/localhost",
            b"http://",
            b"http://localhost/",
            b"http://localhost?",
            b"http://localhost#x",
            b"http://user@localhost",
            b"http://localhost:80@evil.com",
            b"http://localhost\\@evil.com",
            b"http://localhost http://evil.com",
            b" http://localhost",
            b"javascript:alert(1)",
            b"file://",
        ):
            self.assertIsNone(parse_origin(value), value)


class AddressTests(SynchronousTestCase):
    def test_zones_and_ipv4_in_ipv6(self) -> None:
        self.assertEqual(str(parse_address("fe80::1%eth0")), "fe80::1")
        self.assertEqual(str(parse_address("::ffff:127.0.0.1")), "127.0.0.1")

    def test_names_are_no_addresses(self) -> None:
        for text in ("", "localhost", "unknown", "1.2.3", "10.0.0.1:80"):
            self.assertIsNone(parse_address(text), text)


class ClientTests(SynchronousTestCase):
    def test_entries_of_a_proxy_may_have_a_port(self) -> None:
        for text, address in {
            "192.0.2.1": "192.0.2.1",
            "192.0.2.1:4711": "192.0.2.1",
            "2001:db8::1": "2001:db8::1",
            "[2001:db8::1]": "2001:db8::1",
            "[2001:db8::1]:4711": "2001:db8::1",
            "::ffff:192.0.2.1": "192.0.2.1",
            "fe80::1%eth0": "fe80::1",
        }.items():
            self.assertEqual(str(parse_client(text)), address)
        for text in ("", "unknown", "_hidden", "192.0.2.1:", "192.0.2.300", "[192.0.2.1]", "é"):
            self.assertIsNone(parse_client(text), text)

    def test_this_machine(self) -> None:
        for peer in ("", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"):
            self.assertTrue(is_loopback(peer), peer)
        for peer in ("192.0.2.1", "::", "localhost", "unknown"):
            self.assertFalse(is_loopback(peer), peer)

    def test_by_what_an_address_counts(self) -> None:
        for host, key in {
            "192.0.2.1": "192.0.2.1",
            "::ffff:192.0.2.1": "192.0.2.1",
            "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
            "2001:db8:1:2::%eth0": "2001:db8:1:2::/64",
            "2001:db8:1:3::": "2001:db8:1:3::/64",
            "": "",
        }.items():
            self.assertEqual(address_key(host), key)
