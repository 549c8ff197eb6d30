"""Who waits for the worker, and for which one."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from attrs import frozen
from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable

Facts = dict[str, Any]


@frozen
class _Wish:
    generation: int
    """The least generation that satisfies it."""
    old_pid: int | None
    person: bool
    force: bool
    answer: Deferred[Facts]


class Requests:
    """Wishes that are not answered yet; as many as there are, one start answers them all."""

    def __init__(self) -> None:
        self._starts: list[_Wish] = []
        self._stops: list[Deferred[Facts]] = []

    def start(
        self, generation: int, old_pid: int | None, *, person: bool, force: bool
    ) -> Deferred[Facts]:
        """Someone wants a worker of `generation` or later, in the place of `old_pid`."""
        wish = _Wish(generation, old_pid, person, force, Deferred())
        self._starts.append(wish)
        return wish.answer

    def stop(self) -> Deferred[Facts]:
        """Someone wants no worker."""
        self._stops.append(Deferred())
        return self._stops[-1]

    def waiting(self, generation: int) -> bool:
        """Whether someone wants a worker that is younger than `generation`."""
        return any(wish.generation > generation for wish in self._starts)

    @property
    def asker(self) -> dict[str, bool]:
        """How the gate is asked for all who want a worker."""
        return {
            "person": any(wish.person for wish in self._starts),
            "force": any(wish.force for wish in self._starts),
        }

    def settled(self, generation: int, facts: Callable[[int | None], Facts]) -> None:
        """The worker of `generation` has started; `facts` tells them, given the old pid."""
        for wish in self._take(generation):
            wish.answer.callback(facts(wish.old_pid))

    def stopped(self, facts: Facts) -> None:
        """The worker's tree is gone."""
        for answer in self.take_stops():
            answer.callback(dict(facts))

    def take(self, generation: float = inf) -> list[Deferred[Facts]]:
        """The answers owed to who wants a worker, up to `generation`; now the caller's."""
        return [wish.answer for wish in self._take(generation)]

    def take_stops(self) -> list[Deferred[Facts]]:
        """The answers owed to who wants none; now the caller's."""
        stops, self._stops = self._stops, []
        return stops

    def _take(self, generation: float) -> list[_Wish]:
        done = [wish for wish in self._starts if wish.generation <= generation]
        self._starts = [wish for wish in self._starts if wish.generation > generation]
        return done


def fail(answers: list[Deferred[Facts]], error: Exception) -> None:
    """Answer all of them with `error`."""
    for answer in answers:
        answer.errback(error)
