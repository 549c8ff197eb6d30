"""Does what may raise: an exception becomes a reason and costs only itself.

Nobody above the reactor catches what a timer or a callback raises, and what is left undone
then may never be done: a worker that is `starting` for ever, a look that is not repeated.
So whatever may raise is done by one of these, and who calls it says what happens instead.

- `attempt`: once.
- `Attempts`: the many small parts of a turn; what fails all the time does not fill the log.
- `Look`: again and again; a failure is logged once, until it has passed.
- `Periodic`, `Countdown`: a timer that an exception does not end.
- `Reading`: a list, as far as it can be read.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_log = Logger(namespace="gateway")
T = TypeVar("T")

AGAIN: Final = 1.0
"""Seconds after which the callback of a `Countdown` that raised is usually called again."""


def attempt(what: str, act: Callable[[], object]) -> str | None:
    """Call `act`; None: it returned; else why it failed, which is logged with the name `what`."""
    try:
        act()
    except Exception as error:
        why = reason(error)
        _tell(what, why, error, "Python")
        return why
    return None


class Attempts:
    """Calls functions; logs the first, second, fourth, eighth, ... failure of each name."""

    def __init__(self) -> None:
        self._failures: Counter[str] = Counter()

    def __call__(self, what: str, do: Callable[..., object], *args: object) -> bool:
        """Call `do(*args)`; False: it raised.  `what` names it in the log."""
        try:
            do(*args)
        except Exception:
            self.failed(what)
            return False
        return True

    def failed(self, what: str) -> None:
        """Log the exception that is being handled."""
        self._failures[what] += 1
        times = self._failures[what]
        if times & (times - 1) == 0:
            _log.failure("{what} failed ({times} times so far)", what=what, times=times)


class Look:
    """A function that is called again and again: a failure is logged once, until it is over."""

    def __init__(self, what: str, act: Callable[[], object], tag: str = "Python") -> None:
        self._what = what
        self._act = act
        self._tag = tag
        self._failed: str | None = None

    def __call__(self) -> bool:
        """Call it; False: it raised."""
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


class Timers(Protocol):
    """What calls back later, such as `gateway.engineio.deadlines.Deadlines`."""

    def call_later(self, seconds: float, callback: Callable[[], None]) -> object:
        """Call `callback` in `seconds`."""
        ...


class Periodic:
    """Calls `look` every `seconds`, whatever it raises; `what` names it in the log."""

    def __init__(
        self, deadlines: Timers, seconds: float, what: str, look: Callable[[], object]
    ) -> None:
        self._deadlines = deadlines
        self._seconds = seconds
        self._what = what
        self._do = look
        self._attempt = Attempts()
        self._arm()

    def _arm(self) -> None:
        self._deadlines.call_later(self._seconds, self._look)

    def _look(self) -> None:
        self._attempt(self._what, self._do)
        self._arm()


class Countdown:
    """A timer that calls `callback` once, and again in `again` seconds if that raised.

    `what` says for the log what the callback does.
    """

    def __init__(
        self, reactor: Any, what: str, callback: Callable[[], None], again: float = AGAIN
    ) -> None:
        self._reactor = reactor
        self._look = Look(what, callback)
        self._again = again
        self._call: Any = None

    def begin(self, seconds: float) -> None:
        """Start the timer, or start it again."""
        self.cancel()
        self._call = self._reactor.callLater(max(0.0, seconds), self._over)

    def now(self) -> None:
        """Call it now."""
        self.cancel()
        self._over()

    def cancel(self) -> None:
        """Stop the timer, if it runs."""
        if self.active:
            self._call.cancel()

    @property
    def active(self) -> bool:
        """Whether the timer runs."""
        return self._call is not None and bool(self._call.active())

    def _over(self) -> None:
        if not self._look() and not self.active:
            self.begin(self._again)


class Reading(Generic[T]):
    """A list that is read anew by each call; if reading fails, what was read until then."""

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
    """`error` in one line for people: the system's words, and the file that they are about."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def _tell(what: str, why: str, error: Exception, tag: str) -> None:
    if isinstance(error, OSError):  # the machine's fault, not ours: a line says it all
        _log.error("{what} failed: {why}", tag=tag, what=what, why=why)
    else:
        _log.failure("{what} failed: {why}", tag=tag, what=what, why=why)
