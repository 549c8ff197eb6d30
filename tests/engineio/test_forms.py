from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio import forms
from gateway.engineio.packet import Record
from tests.engineio.world import binary, frames, text

MIXED = [Record(text("4é"), binary(b"\x01\x02")), Record(text("2"))]
TEXTS = [Record(text("4é")), Record(text("2"))]


class WebSocketFormTests(SynchronousTestCase):
    def test_each_packet_is_one_message(self) -> None:
        self.assertEqual(
            frames(forms.WEBSOCKETS[4, False].encode(MIXED)),
            [text("4é"), binary(b"\x01\x02"), text("2")],
        )

    def test_engineio_3_types_binary_messages(self) -> None:
        self.assertEqual(
            frames(forms.WEBSOCKETS[3, False].encode(MIXED)),
            [text("4é"), binary(b"\x04\x01\x02"), text("2")],
        )

    def test_base64_was_asked_for(self) -> None:
        for eio, coded in ((4, "bAQI="), (3, "b4AQI=")):
            self.assertEqual(
                frames(forms.WEBSOCKETS[eio, True].encode(MIXED)),
                [text("4é"), text(coded), text("2")],
            )

    def test_headers_grow_with_the_message(self) -> None:
        for size in (0, 125, 126, 65535, 65536):
            record = Record(binary(b"x" * size))
            for eio, prefix in ((4, b""), (3, b"\x04")):
                [packet] = frames(forms.WEBSOCKETS[eio, False].encode([record]))
                self.assertEqual(packet.data, prefix + b"x" * size)


class PollingFormTests(SynchronousTestCase):
    def test_version_4(self) -> None:
        payload = forms.polling(4, base64=False).encode(MIXED)
        self.assertEqual(payload, "4é\x1ebAQI=\x1e2".encode())
        self.assertEqual(forms.POLLING4.content_type(payload), "text/plain; charset=UTF-8")

    def test_version_3_with_base64(self) -> None:
        payload = forms.polling(3, base64=True).encode(MIXED)
        self.assertEqual(payload, "2:4é6:b4AQI=1:2".encode())

    def test_version_3_is_binary_only_where_a_packet_is(self) -> None:
        form = forms.polling(3, base64=False)
        payload = form.encode(MIXED)
        self.assertEqual(payload, bytes.fromhex("00 03 ff 34c3a9 01 03 ff 04 01 02 00 01 ff 32"))
        self.assertEqual(form.content_type(payload), "application/octet-stream")
        payload = form.encode(TEXTS)
        self.assertEqual(payload, "2:4é1:2".encode())
        self.assertEqual(form.content_type(payload), "text/plain; charset=UTF-8")
        payload = form.encode([Record(binary(b"x"))])
        self.assertEqual(form.content_type(payload), "application/octet-stream")


class SharingTests(SynchronousTestCase):
    def test_keys_tell_the_forms_apart(self) -> None:
        polling = [
            forms.polling(eio, base64=base64, many=many)
            for eio, base64 in ((4, False), (3, False), (3, True))
            for many in (False, True)
        ]
        every = [*forms.WEBSOCKETS.values(), *polling]
        self.assertEqual(len({form.key for form in every}), len(every))

    def test_a_record_is_encoded_once_for_all_polls(self) -> None:
        record = Record(binary(b"x"))
        first = forms.POLLING4.encode([record])
        record.packets = (binary(b"y"),)
        for form in (forms.POLLING4, forms.POLLING4_MANY):
            self.assertEqual(form.encode([record]), first)

    def test_a_text_stands_as_it_is_without_a_copy(self) -> None:
        record = Record(text("4x"))
        self.assertIs(forms.POLLING4.encode([record]), record.packets[0].data)
        self.assertIsNone(record._memo)
