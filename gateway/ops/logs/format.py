"""Which events are logged, and the text of each line."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from twisted.logger import ILogObserver, LogLevel, formatEvent
from zope.interface import implementer

from gateway.common.escape import escape_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from constantly import NamedConstant
    from twisted.logger import LogEvent


def text_line(event: LogEvent, redact: Callable[[str], str]) -> str:
    """`2024-02-25T15:30:00.000+08:00 [Tag] message`; a traceback's lines are indented.

    Warnings and errors have their level before the tag: `WARN [Tag] message`.
    """
    message, trace = _message(event)
    level = _level(event)
    loud = f"{level.name.upper()} " if level > LogLevel.info else ""
    head = f"{_time(event)} {loud}[{_tag(event)}] {escape_line(redact(message))}\n"
    return head + "".join(f"    {escape_line(line)}\n" for line in redact(trace).splitlines())


def json_line(event: LogEvent, redact: Callable[[str], str]) -> str:
    """An object with `time`, `level`, `tag`, `message`, and `traceback` if there is one."""
    message, trace = _message(event)
    line = {
        "time": _time(event),
        "level": _level(event).name,
        "tag": _tag(event),
        "message": redact(message),
    }
    if trace:
        line["traceback"] = redact(trace)
    return escape_line(json.dumps(line, ensure_ascii=False)) + "\n"


def _time(event: LogEvent) -> str:
    return datetime.fromtimestamp(event["log_time"]).astimezone().isoformat(timespec="milliseconds")


def _level(event: LogEvent) -> NamedConstant:
    level: NamedConstant = event.get("log_level", LogLevel.info)
    return level


def _tag(event: LogEvent) -> str:
    return str(event.get("tag", "Gateway"))


def _message(event: LogEvent) -> tuple[str, str]:
    """The message, and the traceback (empty without a failure)."""
    message = formatEvent(event)
    if "log_failure" in event:
        return message, event["log_failure"].getTraceback()
    if "failure" in event:  # logged by twisted.python.log, traceback and all
        first, _, trace = message.partition("\n")
        return first, trace
    return message, ""


# -- Which events are logged.

_OURS = ("gateway", "stdout", "stderr")


@implementer(ILogObserver)
class LogObserver:
    """A log observer of Twisted: gives the line of each event that is logged to `write`.

    The gateway's events are logged from `level` on; those of Twisted and Autobahn from `warn` on,
    at level debug all of them.
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
