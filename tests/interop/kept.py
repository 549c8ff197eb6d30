"""What is started once and used by many tests: trial has no fixtures of a class."""

import atexit
from collections.abc import Callable
from typing import Generic, ParamSpec, Protocol, TypeVar

from twisted.trial.unittest import SynchronousTestCase


class Mortal(Protocol):
    """What may end before it is closed."""

    def ended(self) -> str | None:
        """How it ended, with its log if it has one; None: it is in use."""

    def close(self) -> None: ...


T = TypeVar("T", bound=Mortal)
P = ParamSpec("P")


class Kept(Generic[P, T]):
    """`kept(test, ...)` is what `start(...)` made when it was first asked for with this.

    It is closed when the tests end.  If it ends before, the test fails that used it, or
    that asks for it next, with what it says of its end; whoever comes after gets another.
    """

    def __init__(self, start: Callable[P, T]) -> None:
        self._start = start
        self._kept: dict[object, T] = {}

    def __call__(self, test: SynchronousTestCase, *args: P.args, **more: P.kwargs) -> T:
        key = (args, tuple(sorted(more.items())))
        if key not in self._kept:
            made = self._start(*args, **more)
            atexit.register(made.close)
            self._kept[key] = made
        self._look(key)
        test.addCleanup(self._look, key)
        return self._kept[key]

    def _look(self, key: object) -> None:
        kept = self._kept.get(key)
        if kept is None:  # the test used it twice, and was told
            return
        if end := kept.ended():
            del self._kept[key]
            raise AssertionError(end)
