"""What the routes ask of the worker's supervisor: `Control`, and its stand-in without a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from gateway.common.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twisted.internet.defer import Deferred

    from gateway.web.routes.schemas import Credentials


class Control(Protocol):
    """The worker, as the routes see it.

    The methods that change something fire with facts for the answer (a mapping, or None)
    once the change is made.  They fail, or raise, with an error that has `message` and
    `details`, perhaps `next_start` (ISO 8601), all for the client: no secrets; or, for
    credentials that can't be used, with one that has `field` and a `message` that names
    it.  Any other error is a bug and is answered as such.
    """

    @property
    def running(self) -> bool:
        """Whether the worker's process lives."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the worker said that it is ready, and its heartbeat is not late."""
        ...

    def readiness(self) -> Mapping[str, Any]:
        """What `/readyz` tells besides: `reason`, why it is ready or not, and more."""
        ...

    def health(self) -> Mapping[str, Any]:
        """What `/health` tells besides its own three fields."""
        ...

    def status(self) -> Mapping[str, Any]:
        """All there is to know."""
        ...

    @property
    def log_position(self) -> int:
        """The number of the next line; never smaller than before, over a restart either."""
        ...

    def log_tail(self, lines: int) -> Sequence[str]:
        """The worker's last lines, redacted, oldest first."""
        ...

    def restart(self, *, force: bool = False) -> Deferred[Any]:
        """Stop the worker, if it runs, and start it; `force` overrides a pause."""
        ...

    def start_worker(self) -> Deferred[Any]:
        """Start the worker, if it does not run."""
        ...

    def stop_worker(self) -> Deferred[Any]:
        """Stop the worker, and do not start it again."""
        ...

    def set_credentials(
        self, credentials: Credentials, *, wait_ready: bool = False
    ) -> Deferred[Any]:
        """Give them to the next worker, and restart; `wait_ready`: until that is ready."""
        ...


class NoWorkerError(Exception):
    """The gateway was started without a worker."""

    message = "This gateway runs no worker"
    details = "It was started with --no-worker; start it without to control one."


class NoWorker:
    """The `Control` of `--no-worker`.

    It is ready while it is up: whoever connects may publish, and nobody has to.  `spoke()`
    tells when somebody did so last, in seconds since 1970; None: never.
    """

    running = False
    ready = True
    log_position = 0

    def __init__(self, spoke: Callable[[], float | None] = lambda: None) -> None:
        self._spoke = spoke

    def health(self) -> dict[str, Any]:
        return {"state": "disabled"}

    def readiness(self) -> dict[str, Any]:
        at = self._spoke()
        if at is None:
            why = "no worker is expected here, and no publisher has spoken yet"
            return {"reason": why, "publisherSpokeAt": None}
        when = iso(at)
        why = f"no worker is expected here; a publisher spoke last at {when}"
        return {"reason": why, "publisherSpokeAt": when}

    def status(self) -> dict[str, Any]:
        return {"state": "disabled", "details": NoWorkerError.details}

    def log_tail(self, lines: int) -> list[str]:
        return []

    def restart(self, *, force: bool = False) -> NoReturn:
        raise NoWorkerError

    def start_worker(self) -> NoReturn:
        raise NoWorkerError

    def stop_worker(self) -> NoReturn:
        raise NoWorkerError

    def set_credentials(
        self,
        credentials: Credentials,
        *,
        wait_ready: bool = False,
    ) -> NoReturn:
        raise NoWorkerError
