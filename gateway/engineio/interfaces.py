"""What a session has above it, and below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.engineio.outbox import Sink
    from gateway.engineio.packet import Packet


class Connection(Protocol):
    """What the layer above makes of a session."""

    def message(self, packet: Packet) -> None:
        """A message came.  Raises `ProtocolError` to have the session closed."""
        ...

    def closed(self, reason: str) -> None:
        """The session is over; called once."""
        ...


class SessionChannel(Protocol):
    """A session's transport as the session sees it."""

    name: str

    @property
    def sink(self) -> Sink:
        """Where the outbox writes."""
        ...

    @property
    def has_room(self) -> bool:
        """Whether the sink can take a write right now."""
        ...

    def end(self, farewell: Packet | None, code: int) -> None:
        """The session is over: say so (`farewell` to a poll, `code` to a WebSocket).

        Without a farewell the poll is refused, as all later ones are.
        """
        ...
