"""The supervisor as the relay's events see it, where its worker's words need a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.market.events import WORKER_STATUS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from gateway.app.worker_events import SupervisedWorker, WorkerEvents
    from gateway.options import Settings

REHEARSAL: Final = "rehearsal"


class SeenWorker:
    """Passes on what is told and asked."""

    def __init__(
        self, supervisor: SupervisedWorker, publish: Callable[[str, dict[str, Any]], object]
    ) -> None:
        self._supervisor = supervisor
        self._publish = publish

    @property
    def running(self) -> bool:
        return self._supervisor.running

    @property
    def adopted(self) -> bool:
        return self._supervisor.adopted

    @property
    def generation(self) -> int:
        return self._supervisor.generation

    def heard(self, name: str, value: object, connection: Hashable) -> None:
        self._supervisor.heard(name, value, connection)

    def gone(self, connection: Hashable) -> None:
        self._supervisor.gone(connection)


class RehearsedWorker(SeenWorker):
    """One that rehearses, and does not know it.

    A `python_status` of its own is followed by the same with the mark, given to `publish`: so the
    newest one, which late joiners get, always says that it is a rehearsal.
    """

    def heard(self, name: str, value: object, connection: Hashable) -> None:
        super().heard(name, value, connection)
        if name == WORKER_STATUS and isinstance(value, dict) and not value.get(REHEARSAL):
            self._publish(name, {**value, REHEARSAL: True})


def mark_rehearsed(settings: Settings, events: WorkerEvents) -> None:
    """Make the worker of `events` one that rehearses, if it does."""
    if settings.rehearse and events.worker is not None:
        events.worker = RehearsedWorker(events.worker, events.relay.publish)
