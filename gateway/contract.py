"""What the routes and the worker's supervisor share: `Control` and its errors.

A leaf: it imports only `gateway.common`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Protocol

from attrs import frozen

from gateway.common.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twisted.internet.defer import Deferred

    from gateway.common.credentials import Credentials

# -- errors ---------------------------------------------------------------------------


@frozen
class WorkerError(Exception):
    """The worker is not as it was asked to be.

    `message` is one sentence for people; `details` says why and what to do.  Neither holds a
    secret.
    """

    code: ClassVar[str] = "failed"
    """What it is, for programs."""
    message: str
    details: str = ""

    def __str__(self) -> str:
        return f"{self.message}: {self.details}" if self.details else self.message


@frozen
class HeldError(WorkerError):
    """No worker may be started before `next_start` (ISO 8601)."""

    code = "held"
    next_start: str = ""

    @classmethod
    def until(cls, reason: str, when: str) -> HeldError:
        """`reason` forbids a start until `when`."""
        return cls("No worker can be started now", f"{reason}; next start: {when}", when)


class GoingDownError(WorkerError):
    """The gateway is being stopped."""

    code = "going_down"


class LaunchError(WorkerError):
    """There is no main.py, no interpreter, or it can't be run."""

    code = "not_started"


class UnreachableError(LaunchError):
    """As it is now main.py can't be looked at; the OSError that it comes from may pass."""


class HandOverError(WorkerError):
    """The gateway can't be handed over to the code on disk; it goes on as it was."""

    code = "not_handed_over"


class FailedAtOnceError(WorkerError):
    """The worker was started and ended before it had settled."""

    code = "ended_at_once"


class SupersededError(WorkerError):
    """A later request asked for the opposite."""

    code = "superseded"


class NotReadyError(WorkerError):
    """The worker with the new keys never became ready; the previous keys are back."""

    code = "not_ready"


@frozen
class PausedError(HeldError):
    """The broker imposed a pause."""

    code = "paused"

    @classmethod
    def until(cls, reason: str, when: str) -> PausedError:  # noqa: ARG003 - it is known
        """The pause ends at `when`."""
        return cls(
            "The broker asked for a pause",
            f"code 451 or 503: a login before {when} would extend it; next start: {when};"
            " force=true starts nevertheless",
            when,
        )


def no_hand_over() -> NoReturn:
    """Where the gateway is one service of another application."""
    raise HandOverError(
        "This gateway can't be handed over", "it is a part of another application: restart that"
    )


def no_alerts() -> NoReturn:
    """Where nobody is to be told."""
    raise WorkerError(
        "No alert is sent anywhere", "name receivers in a file, and that with --alert-file"
    )


def no_replay(_: object) -> NoReturn:
    """Where nothing is replayed."""
    raise WorkerError("This gateway replays nothing", "start one with --replay FILE")


# -- the worker, as the routes see it -----------------------------------------------------


class Control(Protocol):
    """The worker, as the routes see it.

    The methods that change something fire with facts for the answer (a mapping, or None)
    once the change is made.  They raise or fail with WorkerError, and `set_credentials` also
    with CredentialsError; both are told to the client.  Any other error is a bug and is
    answered as such.
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
        """More keys for `/readyz`, such as `reason`: why it is ready or not."""
        ...

    def health(self) -> Mapping[str, Any]:
        """More keys for `/health`."""
        ...

    def status(self) -> Mapping[str, Any]:
        """The whole answer of `/status`."""
        ...

    @property
    def log_position(self) -> int:
        """The number of the next line; it never falls, not even over a restart."""
        ...

    def log_tail(self, lines: int) -> Sequence[str]:
        """The worker's last `lines` lines, redacted, oldest first."""
        ...

    def restart(self, *, force: bool = False) -> Deferred[Any]:
        """Stop the worker, if it runs, and start it; `force` overrides a pause."""
        ...

    def start_worker(self) -> Deferred[Any]:
        """Start the worker, if it does not run."""
        ...

    def stop_worker(self) -> Deferred[Any]:
        """Stop the worker until somebody asks for a start."""
        ...

    def set_credentials(
        self, credentials: Credentials, *, wait_ready: bool = False
    ) -> Deferred[Any]:
        """Restart with `credentials`; `wait_ready`: fire when the new worker is ready."""
        ...


_NO_WORKER = "It was started with --no-worker; start it without to control one."


class NoWorker:
    """The `Control` of `--no-worker`: always ready, and every change raises WorkerError.

    `spoke()` is when a publisher last sent an event, in seconds since 1970; None: never.
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
        return {"state": "disabled", "details": _NO_WORKER}

    def log_tail(self, lines: int) -> list[str]:
        return []

    def restart(self, *, force: bool = False) -> NoReturn:
        self._refuse()

    def start_worker(self) -> NoReturn:
        self._refuse()

    def stop_worker(self) -> NoReturn:
        self._refuse()

    def set_credentials(
        self,
        credentials: Credentials,
        *,
        wait_ready: bool = False,
    ) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise WorkerError("This gateway runs no worker", _NO_WORKER)
