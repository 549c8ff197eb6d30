"""permessage-deflate: each record is compressed once, for all who negotiated it.

So every message has a context of its own (no context takeover), in both directions.  Autobahn
decompresses.  Source: RFC 7692, section 7.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from gateway.engineio.forms import frame_header
from gateway.engineio.outbox import Form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.engineio.packet import Packet, Record

NAME = "permessage-deflate"
ACCEPTED = NAME + "; server_no_context_takeover; client_no_context_takeover"
"""Our answer to an offer that we accept."""

SMALLEST = 256
"""Shorter messages are sent as they are."""

RSV1 = 0x40
TAIL = b"\x00\x00\xff\xff"
"""The end of a flushed block, which is not sent (section 7.2.1)."""


class Deflated(Form):
    """A form whose longer messages are compressed: that of Engine.IO 4 over WebSocket."""

    def __init__(self, form: Form) -> None:
        self.key = f"{form.key}+deflate"
        self._form = form

    def encode(self, records: Sequence[Record]) -> bytes:
        return b"".join([self._one(record) for record in records])

    def _one(self, record: Record) -> bytes:
        if record.size < SMALLEST:
            return self._form.encode((record,))
        return record.memo(self.key, _deflated)


def _deflated(packets: tuple[Packet, ...]) -> bytes:
    pieces: list[bytes | bytearray] = []
    for data, binary in packets:
        packed = _compress(data) if len(data) >= SMALLEST else data
        header = bytearray(frame_header(len(packed), binary=binary))
        header[0] |= RSV1 if packed is not data else 0
        pieces += (header, packed)
    return b"".join(pieces)


def _compress(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)
    return packed.removesuffix(TAIL)


def accepts(offers: str) -> bool:
    """Whether we accept one of the offers of a Sec-WebSocket-Extensions header."""
    return any(_serves(offer) for offer in offers.split(","))


def _serves(offer: str) -> bool:
    name, *parameters = [part.strip() for part in offer.split(";")]
    if name.lower() != NAME:
        return False
    parsed: dict[str, list[str | bool]] = {}
    for parameter in parameters:
        key, equals, value = parameter.partition("=")
        parsed.setdefault(key.strip().lower(), []).append(
            value.strip().strip('"') if equals else True
        )
    from autobahn.websocket.compress import PerMessageDeflateOffer  # noqa: PLC0415

    try:
        asked = PerMessageDeflateOffer.parse(parsed)
    except Exception:  # Autobahn raises nothing more specific for a malformed offer
        return False
    # A smaller window would need a form of its own; the client can do without.
    return int(asked.request_max_window_bits) in (0, zlib.MAX_WBITS)
