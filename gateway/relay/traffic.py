"""How much was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from gateway.relay.event import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.engineio.record import Record


@attrs.define
class Traffic:
    """What the transports of one namespace's clients were given since the start."""

    deliveries: int = 0
    """Events, each as often as there were clients that it was written to."""
    bytes: int = 0
    """With the frames or separators of the transport, without HTTP and TLS."""

    def shared(self, events: int, size: int, clients: int) -> None:
        """One write of `events` and `size` bytes was made to each of `clients`."""
        self.deliveries += events * clients
        self.bytes += size * clients

    def alone(self, records: Sequence[Record], size: int) -> None:
        """One client was written `records`, some of them perhaps for it alone."""
        self.deliveries += len([each for each in records if isinstance(each, Event)])
        self.bytes += size
