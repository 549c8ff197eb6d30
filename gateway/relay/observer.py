"""What the relay asks of the gateway and tells the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.engineio.session import Session
    from gateway.relay.event import Event
    from gateway.relay.subscription import Subscription


class Observer(Protocol):
    """What the relay asks of the gateway and tells the gateway; `app` implements it."""

    def admit(self, session: Session, auth: dict[str, Any]) -> bool:
        """Let a client in; returns whether it may publish.  The worker may in any case.

        Raises `ConnectionRefused`.
        """
        ...

    def relayed(self, sender: Subscription, events: Sequence[Event]) -> None:
        """Events of a client were taken, those of one read together."""
        ...

    def owner(self, session: Session) -> str:
        """The owner of the shares (`Shares`) that the client uses: its address."""
        ...

    def is_worker(self, sender: Subscription) -> bool:
        """Whether `sender` is the worker."""
        ...

    def trusts(self, sender: Subscription) -> bool:
        """Whether events of `sender` count for snapshots and health."""
        ...

    def left(self, sender: Subscription) -> None:
        """A client has left."""
        ...

    def is_current(self, sender: Subscription) -> bool:
        """False: `sender`, which is trusted, is a worker that has ended."""
        ...

    def heard(
        self, sender: Subscription, events: Sequence[Event], values: Sequence[list[Any]]
    ) -> None:
        """A trusted sender sent `events`; each value is `[name, ...arguments]` (`Packet.brief`)."""
        ...
