"""Where the log goes: to the file of --log-file, else where twistd or twist was told to log to."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from twisted.logger import LogLevel

from gateway.ops.logs.format import LogObserver, json_line, text_line
from gateway.ops.logs.sinks import Descriptor, LogOutput, Syslog, descriptor_file, log_file
from gateway.ops.logs.stream import LogStream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

    from constantly import NamedConstant

    from gateway.ops.logs.sinks import File
    from gateway.options import Settings

STDOUT: MutableMapping[str, Any] = {"logfile": "-", "nodaemon": True, "syslog": False}
"""The options of twistd for a log on stdout, for a gateway in another application."""


def destination(
    settings: Settings, runner: Mapping[str, Any], stream: Callable[[int], File] | None = None
) -> File:
    """The file to log to; `runner` holds the options of `twistd` or of `twist`.

    `stream` makes the file for a terminal or a pipe, which may have no room; without it a write may
    wait.

    `--log-file` counts first.  Raises OSError where a file can't be opened, and
    ValueError where what was asked for makes no sense.
    """
    if settings.log_file:
        return log_file(settings.log_file, settings, stream)
    if "logFile" in runner:  # twist: an open stream
        return _stream(runner["logFile"], stream)
    if runner["syslog"]:
        return Syslog(runner["prefix"])
    name = runner["logfile"] or ("-" if runner["nodaemon"] else "twistd.log")
    if name != "-":
        return log_file(Path(name), settings, stream)
    if not runner["nodaemon"]:
        raise ValueError("a daemon has no stdout to log to: give twistd -n or another --logfile")
    return _stream(sys.stdout, stream)


def _stream(given: TextIO | None, stream: Callable[[int], File] | None) -> File:
    """What was `given`, without its buffer; None: it was closed before we started."""
    if given is None:
        return Descriptor(os.open(os.devnull, os.O_WRONLY))
    return descriptor_file(given.fileno(), stream)


# -- The whole log: where it goes, in which form, from which level on.


def make_log(
    settings: Settings,
    runner: MutableMapping[str, Any],
    reactor: Any,
    *,
    redact: Callable[[str], str],
    level: NamedConstant,
    again: Callable[[int, int], int],
) -> tuple[LogObserver, LogOutput]:
    """The log observer and its output; `runner` holds the options of twistd or twist.

    `again` is `System.opened_again`.  Raises as `destination` does.
    """
    form = json_line if settings.log_format == "json" else text_line
    line = partial(form, redact=redact)

    def note(lost: int) -> str:
        said = {"log_format": "{lost} log lines could not be written", "lost": lost}
        return line({**said, "log_time": time.time(), "log_level": LogLevel.warn})

    stream = partial(LogStream, reactor=reactor, again=again)
    output = LogOutput(destination(settings, runner, stream), note)
    reactor.addSystemEventTrigger("after", "shutdown", output.finish)
    observer = LogObserver(output.write, line, level)
    if "fileLogObserverFactory" in runner:  # twist asks for none otherwise
        runner["fileLogObserverFactory"] = lambda _: observer
        runner["logLevel"] = LogLevel.debug  # ours decides
    return observer, output
