"""What the gateway makes of the events it relays: counts, trust, news of the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.session import Session
    from gateway.relay.event import Event
    from gateway.relay.freshness import Freshness
    from gateway.relay.subscription import Subscription


class Listener(Protocol):
    """Who hears what the worker says; the supervisor does."""

    def heard(self, name: str, value: object) -> None: ...


class Overseer:
    """The relay's observer.

    `count(name)` is told of every event, `is_worker(session)` decides once for each
    client whether its word counts; only then freshness and supervisor hear of it.
    """

    def __init__(
        self,
        count: Callable[[str], None],
        is_worker: Callable[[Session], bool],
        freshness: Freshness,
        listener: Listener | None,
    ) -> None:
        self._count = count
        self._is_worker = is_worker
        self._freshness = freshness
        self._listener = listener

    def relayed(self, event: Event) -> None:
        self._count(str(event.name))

    def trusts(self, sender: Subscription) -> bool:
        if sender.trusted is None:
            sender.trusted = self._is_worker(sender.socket.session)
        return sender.trusted

    def heard(self, event: Event, value: list[Any]) -> None:
        name = str(event.name)
        self._freshness.hear(name, event.code)
        if self._listener is not None:
            self._listener.heard(name, value[1] if len(value) > 1 else None)
