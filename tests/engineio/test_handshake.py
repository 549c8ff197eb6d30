import json
from urllib.parse import parse_qsl

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.errors import EngineError
from gateway.engineio.handshake import Peer, custom, open_packet, parse_query, version, wants_base64
from gateway.engineio.settings import Settings


class QueryTests(SynchronousTestCase):
    def test_parameters_are_decoded_and_the_last_one_counts(self) -> None:
        self.assertEqual(
            parse_query(b"EIO=4&transport=polling&transport=websocket&name=%E5%8F%B0+x&empty="),
            {"EIO": "4", "transport": "websocket", "name": "台 x", "empty": ""},
        )

    def test_it_is_read_as_a_form_is(self) -> None:
        @settings(deadline=None)
        @given(st.text("aE=&%2+;\x00\r 台", max_size=12))
        def same(text: str) -> None:
            read = dict(parse_qsl(text, keep_blank_values=True))
            self.assertEqual(parse_query(text.encode()), read)

        same()

    def test_any_bytes_are_a_query(self) -> None:
        for raw in (b"", b"&&", b"=", b"%", b"%ff%fe", b"\xff=1", b"a;b"):
            self.assertIsInstance(parse_query(raw), dict)

    def test_more_parameters_than_anybody_needs_are_refused(self) -> None:
        self.assertEqual(len(parse_query(b"&".join(b"%d=" % number for number in range(64)))), 64)
        for raw in (b"a&" * 64 + b"a", b"&" * 8000):
            error = self.assertRaises(EngineError, parse_query, raw)
            self.assertEqual((error.code, error.status), (3, 400))

    def test_a_session_keeps_what_the_protocol_has_no_use_for(self) -> None:
        query = {"EIO": "4", "transport": "polling", "t": "x", "b64": "1", "token": "a"}
        self.assertEqual(custom(query), {"token": "a"})

    def test_a_session_keeps_only_what_is_asked_for_and_no_long_values(self) -> None:
        query = {"token": "a", "name": "b", "room": "x" * 513}
        self.assertEqual(custom(query, frozenset(("token",))), {"token": "a"})
        self.assertEqual(custom(query), {"token": "a", "name": "b"})
        self.assertEqual(custom({"x" * 8000: ""}), {})

    def test_sessions_without_anything_to_keep_share_nothing(self) -> None:
        self.assertIs(custom({"EIO": "4"}), custom({"t": "x"}))
        self.assertFalse(hasattr(custom({}), "__setitem__"))

    def test_base64_is_asked_for_with_any_value(self) -> None:
        self.assertEqual(
            [wants_base64(query) for query in ({}, {"b64": ""}, {"b64": "1"}, {"b64": "true"})],
            [False, False, True, True],
        )


class VersionTests(SynchronousTestCase):
    def test_engineio_3_is_an_option(self) -> None:
        self.assertEqual(version({"EIO": "4"}, Settings()), 4)
        self.assertEqual(version({"EIO": "3"}, Settings(eio3=True)), 3)
        self.assertEqual(version({}, Settings(eio3=True)), 3)
        for query in ({}, {"EIO": "3"}, {"EIO": "04"}, {"EIO": "abc"}, {"EIO": "４"}, {"EIO": ""}):
            error = self.assertRaises(EngineError, version, query, Settings())
            self.assertEqual((error.code, error.status), (5, 400))


class OpenPacketTests(SynchronousTestCase):
    def test_it_has_exactly_the_keys_of_the_protocol(self) -> None:
        packet = open_packet("abc", ["websocket"], Settings())
        self.assertEqual(packet.type, b"0")
        self.assertEqual(
            json.loads(packet.payload),
            {
                "sid": "abc",
                "upgrades": ["websocket"],
                "pingInterval": 25000,
                "pingTimeout": 20000,
                "maxPayload": 1000000,
            },
        )

    def test_whole_milliseconds_are_written_as_integers(self) -> None:
        packet = open_packet("abc", [], Settings(ping_interval=300.0, ping_timeout=2.5))
        self.assertIn(b'"pingInterval":300,"pingTimeout":2.5', packet.payload)


class SettingsTests(SynchronousTestCase):
    def test_times_and_sizes_are_positive(self) -> None:
        for name in ("ping_interval", "ping_timeout", "max_payload", "upgrade_timeout"):
            self.assertRaises(ValueError, Settings, **{name: 0})

    def test_milliseconds_become_seconds(self) -> None:
        settings = Settings(ping_interval=300, ping_timeout=0.5)
        self.assertEqual((settings.interval, settings.timeout), (0.3, 0.0005))


class PeerTests(SynchronousTestCase):
    def test_a_client_is_shown_where_it_is(self) -> None:
        for peer, address, shown in (
            (Peer("192.0.2.1", 5000), "192.0.2.1", "192.0.2.1:5000"),
            (Peer("2001:db8::1", 5000), "2001:db8::1", "[2001:db8::1]:5000"),
            (Peer("", 0), "", "unix"),
            (Peer("127.0.0.1", 5000, ("127.0.0.1", 3001), "192.0.2.1"), "192.0.2.1", "192.0.2.1"),
            (Peer("", 0, ("", 0), "2001:db8::1"), "2001:db8::1", "2001:db8::1"),
        ):
            self.assertEqual((peer.address, str(peer)), (address, shown))
