"""What a request to the supervisor may fail with."""

from __future__ import annotations

from attrs import frozen


@frozen
class WorkerError(Exception):
    """The worker is not as it was asked to be.

    `message` is one sentence for people, `details` says why and what to do.  Neither
    holds a secret.
    """

    message: str
    details: str = ""

    def __str__(self) -> str:
        return f"{self.message}: {self.details}" if self.details else self.message


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
class HeldError(WorkerError):
    """Something stands against a start; `next_start` (ISO 8601) is when that ends."""

    next_start: str = ""

    @classmethod
    def until(cls, reason: str, when: str) -> HeldError:
        """`reason` stands against it until then."""
        return cls("No worker can be started now", f"{reason}; next start: {when}", when)


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


@frozen
class CredentialsError(Exception):
    """Credentials that can't be used: `message` names the field, never its value."""

    field: str
    message: str

    def __str__(self) -> str:
        return self.message
