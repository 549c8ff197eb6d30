"""What recording and bars read of a relayed event; they do not know the relay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class HeardPacket(Protocol):
    """An Engine.IO packet of an event: its text begins with the Engine.IO type digit."""

    @property
    def data(self) -> bytes: ...


class HeardEvent(Protocol):
    """What is read here of a relayed event; nothing of it changes once it is in the log."""

    @property
    def packets(self) -> Sequence[HeardPacket]:
        """The text of the Socket.IO packet, then its attachments."""
        ...

    @property
    def size(self) -> int:
        """Bytes of all packets."""
        ...

    @property
    def wall(self) -> float:
        """When it came, in seconds since 1970."""
        ...

    @property
    def name(self) -> str | float: ...

    @property
    def code(self) -> str | None:
        """The code that it is about."""
        ...

    @property
    def trusted(self) -> bool:
        """Whether the worker or the gateway sent it."""
        ...

    @property
    def current(self) -> bool:
        """False: its worker had ended when it came."""
        ...


class PlacedEvent(HeardEvent, Protocol):
    """One that is in a log."""

    @property
    def position(self) -> int:
        """Its place in the log, in events."""
        ...

    @property
    def start(self) -> int:
        """Its place in the log, in bytes of memory."""
        ...
