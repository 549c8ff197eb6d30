"""What a request to the supervisor may fail with, besides the errors in `gateway.contract`."""

from __future__ import annotations

from attrs import frozen

from gateway.contract import HeldError, WorkerError


class GoingDownError(WorkerError):
    """The gateway is being stopped."""


class LaunchError(WorkerError):
    """There is no main.py, no interpreter, or it can't be run."""


class UnreachableError(LaunchError):
    """As it is now main.py can't be looked at; the OSError that it comes from may pass."""


class FailedAtOnceError(WorkerError):
    """The worker was started and ended before it had settled."""


class SupersededError(WorkerError):
    """A later request asked for the opposite."""


class NotReadyError(WorkerError):
    """The worker with the new keys never became ready; the previous keys are back."""


@frozen
class PausedError(HeldError):
    """The broker imposed a pause."""

    @classmethod
    def until(cls, reason: str, when: str) -> PausedError:  # noqa: ARG003 - it is known
        """The pause ends at `when`."""
        return cls(
            "The broker asked for a pause",
            f"code 451 or 503: a login before {when} would extend it; next start: {when};"
            " force=true starts nevertheless",
            when,
        )
