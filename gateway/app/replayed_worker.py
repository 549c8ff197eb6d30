"""What the gateway takes for its worker's own word while a recording is played: nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.app.seen_worker import SeenWorker
from gateway.market.events import HEARTBEAT, READY, WORKER_STATUS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from gateway.app.worker_events import SupervisedWorker
    from gateway.relay.subscription import Subscription


class ReplayedWorker(SeenWorker):
    """The supervisor as the relay's events see it in a replay.

    What is played was said by another worker, on another day: it says nothing of this one, which
    is ready while it asks.  A `python_status` among it is followed by the present one, given to
    `publish`, so that the newest one always says what is true now.
    """

    def __init__(
        self, supervisor: SupervisedWorker, publish: Callable[[str, dict[str, Any]], object]
    ) -> None:
        super().__init__(supervisor, publish)
        self._status: dict[str, Any] | None = None
        self._connection: Hashable = None

    def heard(self, name: str, value: object, connection: Hashable) -> None:
        if name == WORKER_STATUS and self._status is not None:
            self._publish(name, self._status)

    def published(self, name: str, value: dict[str, Any]) -> None:
        """The gateway has told something."""
        if name == WORKER_STATUS:
            self._status = value

    def lives(self, client: Subscription) -> None:
        """The worker has asked: a sign of life."""
        connection = client.socket.session
        name = HEARTBEAT if connection is self._connection else READY
        self._connection = connection
        self._supervisor.heard(name, {"shioaji_connected": True}, connection)
