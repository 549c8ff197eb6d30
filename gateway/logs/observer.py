"""Which events are logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import ILogObserver, LogLevel
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Callable

    from constantly import NamedConstant
    from twisted.logger import LogEvent

_OURS = ("gateway", "stdout", "stderr")


@implementer(ILogObserver)
class Observer:
    """Hands the lines of the events that count to `write`.

    Ours count from `level` on.  Of Twisted's and Autobahn's own (a factory that starts,
    a connection made) only warnings do, unless everything is asked for by `debug`.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        line: Callable[[LogEvent], str],
        level: NamedConstant,
    ) -> None:
        self._write = write
        self._line = line
        self._level = level
        self._foreign = level if level is LogLevel.debug else max(level, LogLevel.warn)

    def __call__(self, event: LogEvent) -> None:
        ours = event.get("log_namespace", "").partition(".")[0] in _OURS
        if event.get("log_level", LogLevel.info) >= (self._level if ours else self._foreign):
            self._write(self._line(event))
