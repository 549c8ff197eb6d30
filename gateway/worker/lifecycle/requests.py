"""The one list of all requests that are not answered yet."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from attrs import frozen
from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Facts = dict[str, Any]
"""An answer: what became of the worker, as JSON."""


class Until(Enum):
    """What a request waits for."""

    SETTLED = "a worker that has settled"
    READY = "a worker that is ready"
    GONE = "no worker"


@frozen(eq=False, kw_only=True)
class PendingRequest:
    """One request that is not answered yet."""

    until: Until
    answer: Deferred[Facts]
    generation: int = 0
    """SETTLED: the least generation that satisfies it.  READY: the very one."""
    old_pid: int | None = None
    """The process that the worker replaces; None: there was none."""
    person: bool = False
    """A person asks, not a timer."""
    force: bool = False
    """The broker's pause is to be overridden."""


class PendingRequests:
    """The list; a predicate selects the requests that an event concerns."""

    def __init__(self) -> None:
        self._waiting: list[PendingRequest] = []

    def wait(self, until: Until, **how: Any) -> Deferred[Facts]:
        """Add a request; fires with its answer.  `how` are the other fields of `PendingRequest`."""
        request = PendingRequest(until=until, answer=Deferred(), **how)
        self._waiting.append(request)
        return request.answer

    def __len__(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    def find(self, which: Callable[[PendingRequest], bool]) -> list[PendingRequest]:
        """The requests for which `which` is true; they stay in the list."""
        return list(filter(which, self._waiting))

    def take(self, which: Callable[[PendingRequest], bool]) -> list[PendingRequest]:
        """Remove the requests for which `which` is true; the caller must answer them."""
        taken = self.find(which)
        self._waiting = [request for request in self._waiting if request not in taken]
        return taken


# -- predicates ---------------------------------------------------


def wants_a_worker(request: PendingRequest) -> bool:
    """Whether it waits for a worker to start."""
    return request.until is Until.SETTLED


def wants_none(request: PendingRequest) -> bool:
    """Whether it waits for a worker to be gone."""
    return request.until is Until.GONE


def served_by(generation: int) -> Callable[[PendingRequest], bool]:
    """Requests that wait for `generation`, or an older one, to start."""
    return lambda request: wants_a_worker(request) and request.generation <= generation


def wants_after(generation: int) -> Callable[[PendingRequest], bool]:
    """Requests that wait for a newer worker than `generation` to start."""
    return lambda request: wants_a_worker(request) and request.generation > generation


def waits_until_ready(generation: int) -> Callable[[PendingRequest], bool]:
    """Requests that wait for the worker of `generation` to be ready."""
    return lambda request: request.until is Until.READY and request.generation == generation


# -- answers ---------------------------------------------------------------------------------


def answer(requests: Iterable[PendingRequest], facts: Callable[[PendingRequest], Facts]) -> None:
    """Answer each request with its facts; a callback may make a new request."""
    for request in requests:
        request.answer.callback(facts(request))


def fail(requests: Iterable[PendingRequest], error: Exception) -> None:
    """Answer all requests with `error`; a callback may make a new request."""
    for request in requests:
        request.answer.errback(error)
