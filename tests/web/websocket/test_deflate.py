"""permessage-deflate: what is negotiated, and what is sent."""

from __future__ import annotations

import zlib

from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.forms import WEBSOCKETS
from gateway.engineio.packet import Packet, Record
from gateway.web.websocket.deflate import Deflated, accepts

FORM = WEBSOCKETS[4, False]


def inflate(data: bytes) -> bytes:
    return zlib.decompressobj(-15).decompress(data + b"\x00\x00\xff\xff")


class OfferTests(SynchronousTestCase):
    def test_accepts_what_browsers_and_libraries_offer(self) -> None:
        for offer in (
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate",
            "x-webkit-deflate-frame, permessage-deflate; server_no_context_takeover",
            'Permessage-Deflate; server_max_window_bits="15"',
            "permessage-deflate; server_max_window_bits=10, permessage-deflate",
        ):
            self.assertTrue(accepts(offer), offer)

    def test_does_without_where_an_offer_is_malformed_or_asks_for_more(self) -> None:
        for offer in (
            "",
            ",;=,",
            "permessage-bzip2",
            "permessage-deflate; server_max_window_bits=10",
            "permessage-deflate; server_max_window_bits=99",
            "permessage-deflate; unheard_of",
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        ):
            self.assertFalse(accepts(offer), offer)


class FormTests(SynchronousTestCase):
    def test_a_long_message_is_compressed_with_the_reserved_bit_set(self) -> None:
        text = b'42["x","' + b"abc" * 200 + b'"]'
        data = Deflated(FORM).encode([Record(Packet(text))])
        self.assertEqual(data[0], 0xC1)
        self.assertLess(len(data), 100)
        self.assertEqual(inflate(data[2:]), text)

    def test_a_short_message_is_sent_as_it_is(self) -> None:
        record = Record(Packet(b'42["x"]'))
        self.assertEqual(Deflated(FORM).encode([record]), FORM.encode([record]))

    def test_of_a_record_only_the_long_packets_are_compressed(self) -> None:
        record = Record(
            Packet(b'451-["x",{"_placeholder":true,"num":0}]'), Packet(bytes(999), True)
        )
        data = Deflated(FORM).encode([record])
        self.assertEqual(data[0], 0x81)
        attachment = data[2 + data[1] :]
        self.assertEqual(attachment[0], 0xC2)
        self.assertEqual(inflate(attachment[2:]), bytes(999))

    def test_a_record_is_compressed_once_for_all(self) -> None:
        record = Record(Packet(b"4" + b"z" * 1000))
        first, second = Deflated(FORM), Deflated(FORM)
        self.assertEqual(first.key, second.key)
        self.assertIs(
            record.memo(first.key, self.fail) if first.encode([record]) else None,
            record.memo(second.key, self.fail),
        )
