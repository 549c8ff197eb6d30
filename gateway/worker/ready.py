"""Those who wait until a new worker is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from gateway.worker.errors import NotReadyError, SupersededError, WorkerError
from gateway.worker.lifecycle.classification import (
    AUTHENTICATION,
    BAN,
    DEPENDENCY,
    QUOTA,
    TOO_MANY,
    VERSION,
)

if TYPE_CHECKING:
    from gateway.worker.lifecycle.exits import Exit


HOPELESS = frozenset((AUTHENTICATION, BAN, TOO_MANY, QUOTA, VERSION, DEPENDENCY))
"""Classes of errors with which no login succeeds.  All others may be about something else,
such as one contract that has expired, or may pass by themselves."""


class ReadyWaiters:
    """Each waits for one generation, at most `timeout` seconds."""

    def __init__(self, reactor: Any, timeout: float) -> None:
        self._reactor = reactor
        self._timeout = timeout
        self._waiting: list[tuple[int, Deferred[None]]] = []
        self._ready = 0

    def wait(self, generation: int) -> Deferred[None]:
        """Fires when `generation` is ready; fails with NotReadyError or SupersededError."""
        answer: Deferred[None] = Deferred()
        if self._ready == generation:
            answer.callback(None)
            return answer
        late = self._reactor.callLater(
            self._timeout,
            self._fail,
            generation,
            _not_ready(f"it did not say that it is ready within {self._timeout:g} s"),
        )
        answer.addBoth(_cancel, late)
        self._waiting.append((generation, answer))
        return answer

    def ready(self, generation: int) -> None:
        """The worker of `generation` is ready; told at each of its events."""
        if self._ready == generation:
            return
        self._ready = generation
        for answer in self._take(generation):
            answer.callback(None)

    def complained(self, generation: int, cause: str | None, words: str) -> None:
        """It reported an error; only one of `HOPELESS` is a failure."""
        if cause in HOPELESS:
            self._fail(generation, _not_ready(words))

    def exited(self, generation: int, end: Exit, epitaph: str) -> None:
        """It is gone."""
        if end.asked:
            error: WorkerError = SupersededError(
                "The worker was stopped", "a later request asked for that"
            )
        else:
            error = _not_ready(epitaph)
        self._fail(generation, error)

    def _fail(self, generation: int, error: WorkerError) -> None:
        for answer in self._take(generation):
            answer.errback(error)

    def _take(self, generation: int) -> list[Deferred[None]]:
        taken = [answer for number, answer in self._waiting if number == generation]
        self._waiting = [known for known in self._waiting if known[0] != generation]
        return taken


def _not_ready(reason: str) -> NotReadyError:
    return NotReadyError("The worker did not become ready; the previous keys are back", reason)


def _cancel(result: Any, late: Any) -> Any:
    if late.active():
        late.cancel()
    return result
