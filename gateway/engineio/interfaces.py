"""What a session needs: the application above it, and the transport below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.engineio.outbox import Sink
    from gateway.engineio.packet import Packet


class Connection(Protocol):
    """The application's side of one session."""

    def message(self, packet: Packet) -> None:
        """A message came.  Raise `ProtocolError` to close the session."""
        ...

    def burst(self, messages: list[bytes], at: int) -> int:
        """Take what can be taken at once of several texts, from the one at `at` on.

        Returns the place after them; `at`: none, so `message` is called with the packet.
        """
        return at

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
        """The session is over: send `farewell` to a poll, or close a WebSocket with `code`.

        Without a farewell the poll is refused, as all later ones are.
        """
        ...
