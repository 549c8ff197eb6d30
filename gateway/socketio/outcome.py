"""The result of a handler: at once, later, or an error.

A handler may return a value, or something that is awaited: a coroutine, a Twisted Deferred,
or any other object with `addBoth` or `add_done_callback`, also from within a coroutine.
Nothing here depends on an event loop.
"""

from __future__ import annotations

import logging
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_log = logging.getLogger(__name__)

MOST = 20
"""Errors of handlers that are logged in a minute, each with its traceback."""


def attempt(
    call: Callable[[], Any],
    done: Callable[[Any], object],
    failed: Callable[[Exception], object],
) -> None:
    """Call `call`, and `done` with its result, now or later.

    An error of either is given to `failed`, once.
    """

    def finish(value: Any) -> None:
        try:
            done(value)
        except Exception as error:
            failed(error)

    try:
        value = call()
    except Exception as error:
        failed(error)
        return
    if _is_deferred(value):
        value.addCallbacks(finish, lambda failure: failed(failure.value))
    elif isawaitable(value):
        _Run(value.__await__(), finish, failed).step()
    else:
        finish(value)


def report(what: str, error: Exception) -> None:
    """Log an error in a function of the application, which `what` names."""
    _log.error("%s failed", what, exc_info=error)


class Reports:
    """Logs errors that clients can cause at any rate: at most `MOST` a minute."""

    def __init__(self) -> None:
        self._minute = float("-inf")
        self._count = 0

    def __call__(self, what: str, now: float, error: Exception) -> None:
        """Log it, unless there were too many; the next minute begins with their number.

        `now`: seconds, on any clock that does not jump.
        """
        if now >= self._minute + 60:
            unsaid = self._count - MOST
            self._minute, self._count = now, 0
            if unsaid > 0:
                _log.error("%d more errors in handlers were not logged", unsaid)
        self._count += 1
        if self._count <= MOST:
            report(what, error)


class _Run:
    """Drives one coroutine, and goes on when what it waits for is done."""

    def __init__(
        self,
        steps: Generator[Any, Any, Any],
        finish: Callable[[Any], None],
        fail: Callable[[Exception], object],
    ) -> None:
        self._steps = steps
        self._finish = finish
        self._fail = fail

    def step(self, _: object = None) -> None:
        """Run up to the next thing that is not done yet."""
        try:
            waits_for = self._steps.send(None)
            if _is_deferred(waits_for):
                waits_for.addBoth(self.step)
            elif hasattr(waits_for, "add_done_callback"):
                waits_for.add_done_callback(self.step)
            else:
                self._steps.close()
                self._fail(TypeError(f"{waits_for!r} can't be awaited in a handler"))
        except StopIteration as stop:
            self._finish(stop.value)
        except Exception as error:
            self._fail(error)


def _is_deferred(value: object) -> bool:
    return hasattr(value, "addBoth") and hasattr(value, "addCallbacks")
