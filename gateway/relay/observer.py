"""Who watches the relay, without being one of its clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from gateway.engineio.session import Session
    from gateway.relay.event import Event
    from gateway.relay.subscription import Subscription


class Observer(Protocol):
    """What the gateway wants to know of what is relayed, and to say about it."""

    def admit(self, session: Session, auth: dict[str, Any]) -> bool:
        """Let a client in; False: of its events only the worker's are relayed.

        Raises `ConnectionRefused`.
        """
        ...

    def relayed(self, sender: Subscription, event: Event) -> None:
        """Any event, of anybody."""
        ...

    def owner(self, session: Session) -> str:
        """By what a client counts where a bound is shared: its address."""
        ...

    def is_worker(self, sender: Subscription) -> bool:
        """Whether `sender` is the worker."""
        ...

    def trusts(self, sender: Subscription) -> bool:
        """Whether what `sender` says counts for snapshots and health."""
        ...

    def left(self, sender: Subscription) -> None:
        """A client is gone."""
        ...

    def is_current(self, sender: Subscription) -> bool:
        """Whether `sender`, who is trusted, is no worker that has ended meanwhile."""
        ...

    def heard(self, sender: Subscription, event: Event, value: list[Any]) -> None:
        """An event of a trusted sender was said; `value` is what it says, in brief."""
        ...
