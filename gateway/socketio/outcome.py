"""What a handler comes to: at once, later, or by an error.

A handler may return a value, or something that is awaited: a coroutine, a Twisted Deferred,
or any other object with `addBoth` or `add_done_callback`, also from within a coroutine.
They are known by what they can do, so nothing here depends on an event loop.
"""

from __future__ import annotations

import logging
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_log = logging.getLogger(__name__)


def attempt(
    what: str,
    call: Callable[[], Any],
    done: Callable[[Any], object],
    failed: Callable[[Exception], object] | None = None,
) -> None:
    """Call `call`, and `done` with what it comes to, perhaps later.

    An error of either is given to `failed`, once; without it, it is logged, and `what` says
    whose it is.
    """

    def fail(error: Exception) -> None:
        if failed is not None:
            failed(error)
        else:
            report(what, error)

    def finish(value: Any) -> None:
        try:
            done(value)
        except Exception as error:
            fail(error)

    try:
        value = call()
    except Exception as error:
        fail(error)
        return
    if _is_deferred(value):
        value.addCallbacks(finish, lambda failure: fail(failure.value))
    elif isawaitable(value):
        _Run(value.__await__(), finish, fail).step()
    else:
        finish(value)


def report(what: str, error: Exception) -> None:
    """Log an error of somebody else's function."""
    _log.error("%s failed", what, exc_info=error)


class _Run:
    """Drives one coroutine, and goes on when what it waits for is done."""

    def __init__(
        self,
        steps: Generator[Any, Any, Any],
        finish: Callable[[Any], None],
        fail: Callable[[Exception], None],
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
