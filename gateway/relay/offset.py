"""The recovery form: events with their offset as last argument, for who asked for it.

Source: Socket.IO documentation, "Connection state recovery".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.engineio.outbox import Form
from gateway.engineio.packet import Packet
from gateway.engineio.record import Record
from gateway.relay.event import Event
from gateway.relay.journal import Place

if TYPE_CHECKING:
    from collections.abc import Sequence


class WithOffset(Form):
    """Another form, of events with their offset spliced in: nothing is re-encoded.

    An event with an ack id carries none, since it is not replayed twice by clients.
    """

    def __init__(self, form: Form) -> None:
        self.key = f"{form.key}+offset"
        self.max_packets = form.max_packets
        self.max_bytes = form.max_bytes
        self.polled = form.polled
        self._form = form

    def encode(self, records: Sequence[Record]) -> bytes:
        return self._form.encode([_with_offset(record) for record in records])


def _with_offset(record: Record) -> Record:
    if not isinstance(record, Event) or record.acked:
        return record
    text, *attachments = record.packets
    offset = str(Place(record.epoch, record.position)).encode()
    spliced = text.data.rstrip()[:-1] + b',"%b"]' % offset
    return Record(Packet(spliced), *attachments)
