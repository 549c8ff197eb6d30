"""An orderly end: what was said before is written before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.engineio.outbox import Form

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.engineio.outbox import Sink
    from gateway.engineio.record import Record


class LastForm(Form):
    """A sink's form that sees the last record go by."""

    def __init__(self, form: Form, last: Record) -> None:
        self.key = f"{form.key}-{id(self)}"  # nobody else may be given its bytes
        self.max_packets = form.max_packets
        self.max_bytes = form.max_bytes
        self.polled = form.polled
        self.done = False
        self._form = form
        self._last = last

    def encode(self, records: Sequence[Record]) -> bytes:
        self.done = self._last in records
        return self._form.encode(records)


class LastWrites:
    """A sink until the `last` record is written; then `finished` is called."""

    def __init__(self, sink: Sink, last: Record, finished: Callable[[], None]) -> None:
        self.form: Form
        self._last_form = self.form = LastForm(sink.form, last)
        self._sink = sink
        self._finished: Callable[[], None] | None = finished

    @property
    def taken(self) -> int:
        return self._sink.taken

    def write(self, data: bytes) -> bool:
        room = self._sink.write(data)
        if self._last_form.done and self._finished is not None:
            self._finished()
        return room

    def stop(self) -> None:
        """It is over, by this or another way: call nobody any more."""
        self._finished = None
