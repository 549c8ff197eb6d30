"""The worker of the cluster, as the routes of any gateway see it: a `contract.Control`.

The gateway that has the worker tells all others once a second how it is, and what it has printed
(`Shown`); what is to be changed is asked of that gateway (`Questions`), and answered
with the same facts, or the same error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from attrs import frozen
from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.logger import Logger

from gateway import contract
from gateway.cluster.questions import UnansweredError
from gateway.common.credentials import Credentials, CredentialsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twisted.python.failure import Failure

    from gateway.cluster.questions import Questions
    from gateway.cluster.shown import Shown
    from gateway.contract import Control

CHANGE: Final = "change"
"""The question for a change; its value has `method` and its arguments."""
ERRORS: Final = {
    kind.__name__: kind
    for kind in vars(contract).values()
    if isinstance(kind, type) and issubclass(kind, contract.WorkerError)
}
"""What `Control` may fail with, besides CredentialsError, by name."""

_log = Logger(namespace="gateway.cluster")


@frozen
class Place:
    """Where the worker is."""

    is_here: Callable[[], bool]
    """Whether this gateway's own control is to be asked."""
    holder: Callable[[], str]
    """The gateway that has it; "" for nobody."""
    why: Callable[[], str]
    """Why nobody here can be asked, for people."""


class ClusterControl:
    """Asks the worker of this gateway where it is here, else the one that has it.

    `own` is this gateway's own control.
    """

    def __init__(self, own: Control, place: Place, shown: Shown, questions: Questions) -> None:
        self._own = own
        self._place = place
        self._shown = shown
        self._questions = questions
        questions.handlers[CHANGE] = self._asked

    # -- how it is ---------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether the worker's process lives."""
        return self._own.running if self._place.is_here() else self._shown.worker.running

    @property
    def ready(self) -> bool:
        """Whether it is ready."""
        return self._own.ready if self._place.is_here() else self._shown.worker.ready

    def readiness(self) -> Mapping[str, Any]:
        return self._own.readiness() if self._place.is_here() else self._shown.worker.readiness

    def health(self) -> Mapping[str, Any]:
        return self._own.health() if self._place.is_here() else self._shown.worker.health

    def status(self) -> Mapping[str, Any]:
        return self._own.status() if self._place.is_here() else self._shown.worker.status

    @property
    def log_position(self) -> int:
        """The number of the worker's next line."""
        return self._own.log_position if self._place.is_here() else self._shown.printed.position

    def log_tail(self, lines: int) -> list[str]:
        if self._place.is_here():
            return list(self._own.log_tail(lines))
        return self._shown.printed.lines[-lines:]

    # -- what is changed ---------------------------------------------------------------------

    def restart(self, *, force: bool = False) -> Deferred[Any]:
        return self._change("restart", force=force)

    def start_worker(self) -> Deferred[Any]:
        return self._change("start_worker")

    def stop_worker(self) -> Deferred[Any]:
        return self._change("stop_worker")

    def set_credentials(
        self, credentials: Credentials, *, wait_ready: bool = False
    ) -> Deferred[Any]:
        return self._change("set_credentials", credentials, wait_ready=wait_ready)

    # -- inside -----------------------------------------------------------------------------

    def _change(self, method: str, keys: Credentials | None = None, **how: bool) -> Deferred[Any]:
        if self._place.is_here():
            return self._do(method, keys, how)
        holder = self._place.holder()
        if not holder:
            raise contract.WorkerError("The worker can't be changed now", self._place.why())
        fields = None if keys is None else msgspec.to_builtins(keys)
        value = {"method": method, "keys": fields, "how": how}
        asked = self._questions.ask(holder, CHANGE, value)
        return asked.addCallbacks(_outcome, _unanswered)

    def _do(self, method: str, keys: Credentials | None, how: Mapping[str, bool]) -> Deferred[Any]:
        change = getattr(self._own, method)
        return maybeDeferred(change, *([] if keys is None else [keys]), **how)

    def _asked(self, origin: str, value: Any) -> Deferred[Any]:
        """Another gateway asks for a change; errors are told as what they are."""
        method, keys, how = value["method"], value["keys"], value["how"]
        _log.info("Gateway {origin} asks: {method}", origin=origin, method=method)
        if not self._place.is_here():
            error = contract.WorkerError("The worker has just moved", self._place.why())
            done: Deferred[Any] = fail(error)
        elif method in CHANGES:
            done = self._do(method, None if keys is None else Credentials.validated(keys), how)
        else:
            done = fail(contract.WorkerError("It can't do that", method))
        return done.addCallbacks(_told, _told_error)


CHANGES: Final = ("restart", "start_worker", "stop_worker", "set_credentials")


def _told(facts: Any) -> dict[str, Any]:
    return {"facts": facts}


def _told_error(failure: Failure) -> dict[str, Any]:
    error = failure.value
    if isinstance(error, CredentialsError):
        return {"error": "", "field": error.field, "message": error.message}
    if not isinstance(error, contract.WorkerError):
        _log.failure("What another gateway asked for failed", failure)
        error = contract.WorkerError("Internal error", "the log of the gateway that has the worker")
    told = {"error": type(error).__name__, "message": error.message, "details": error.details}
    return {**told, "nextStart": getattr(error, "next_start", "")}


def _outcome(told: Any) -> Any:
    """The facts that were told.  Raises the error that was."""
    if "facts" in told:
        return told["facts"]
    if not told["error"]:
        raise CredentialsError(told["field"], told["message"])
    kind = ERRORS.get(told["error"], contract.WorkerError)
    more = (told["nextStart"],) if issubclass(kind, contract.HeldError) else ()
    raise kind(told["message"], told["details"], *more)


def _unanswered(failure: Failure) -> None:
    failure.trap(UnansweredError)
    raise contract.WorkerError(
        "It is not known whether that was done", f"{failure.value}; look at /status"
    )
