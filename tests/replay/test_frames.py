"""A client's frames, read by the gateway's own reader."""

from twisted.trial.unittest import SynchronousTestCase

from gateway.replay.frames import BINARY, TEXT, frame, split
from gateway.web.websocket import frames as server

SIZES = (0, 1, 125, 126, 65535, 65536, 100_000)


class FrameTests(SynchronousTestCase):
    def test_a_gateway_reads_what_we_send(self) -> None:
        for kind in (TEXT, BINARY):
            for size in SIZES:
                payload = b"x" * size
                found = server.split(frame(kind, payload), 1 << 20)
                self.assertEqual((found.first, found.messages), (kind, [payload]))

    def test_what_a_gateway_sends_is_read_wherever_it_is_cut(self) -> None:
        payloads = [b"x" * size for size in SIZES]
        stream = b"".join(unmasked(payload) for payload in payloads)
        for step in (1, 7, 1000, len(stream)):
            rest, found = b"", []
            for at in range(0, len(stream), max(step, len(stream) // 500)):
                frames, rest = split(rest + stream[at : at + max(step, len(stream) // 500)])
                found += [each.payload for each in frames]
            self.assertEqual((found, rest), (payloads, b""))

    def test_heads_are_read_wherever_they_are_cut(self) -> None:
        for size in SIZES[:5]:
            data = unmasked(b"y" * size)
            for cut in range(min(len(data), 12)):
                first, rest = split(data[:cut])
                second, rest = split(rest + data[cut:])
                self.assertEqual([each.payload for each in first + second], [b"y" * size])

    def test_masked_frames_and_parts_are_refused(self) -> None:
        for data in (frame(TEXT, b"x"), b"\x01\x01x", b"\x80\x01x"):
            self.assertRaises(ValueError, split, data)


def unmasked(payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((TEXT, size)) + payload
    width, code = (2, 126) if size < 65536 else (8, 127)
    return bytes((TEXT, code)) + size.to_bytes(width, "big") + payload
