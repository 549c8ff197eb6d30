"""The one guard around the life-cycle's effects: an exception becomes a reason.

Nobody above the reactor catches what a timer or a process's callback raises, and what is
left undone then may never be done: a worker that is `starting` for ever, looks that end.
So whatever may raise is done by `attempt`, and who calls it says what happens instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_log = Logger(namespace="gateway.worker")
T = TypeVar("T")


def attempt(what: str, act: Callable[[], object]) -> str | None:
    """Do `act`; None when it was done, else the reason, which is logged as that of `what`."""
    try:
        act()
    except Exception as error:
        why = reason(error)
        _tell(what, why, error, "Python")
        return why
    return None


class Look:
    """An act that is done again and again: a failure is logged once, until it has passed."""

    def __init__(self, what: str, act: Callable[[], object], tag: str = "Python") -> None:
        self._what = what
        self._act = act
        self._tag = tag
        self._failed: str | None = None

    def __call__(self) -> bool:
        """Do it; whether that went well."""
        try:
            self._act()
        except Exception as error:
            why = reason(error)
            if why != self._failed:
                self._failed = why
                _tell(self._what, why, error, self._tag)
            return False
        self._failed = None
        return True


class Reading(Generic[T]):
    """A list of what can be read; as far as it came, when that fails."""

    def __init__(self, what: str, read: Callable[[], Iterable[T]]) -> None:
        self._read = read
        self._found: list[T] = []
        self._look = Look(what, self._extend, "Gateway")

    def __call__(self) -> list[T]:
        """Read it now."""
        self._found = []
        self._look()
        return self._found

    def _extend(self) -> None:
        for each in self._read():
            self._found.append(each)


def reason(error: BaseException) -> str:
    """One line for people: what the system says, and of which file."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def _tell(what: str, why: str, error: Exception, tag: str) -> None:
    if isinstance(error, OSError):  # the machine's fault, not ours: a line says it all
        _log.error("{what} failed: {why}", tag=tag, what=what, why=why)
    else:
        _log.failure("{what} failed: {why}", tag=tag, what=what, why=why)
