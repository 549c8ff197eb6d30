"""Which log twistd or twist was told to write: ours goes to the same place."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from gateway.logs.output import Descriptor, descriptor_file, log_file
from gateway.logs.system import Syslog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.config import Settings
    from gateway.logs.output import File


def destination(settings: Settings, runner: Mapping[str, Any], reactor: Any = None) -> File:
    """The file to log to; `runner` holds the options of `twistd` or of `twist`.

    `reactor` tells when a terminal or a pipe has room again; without one they are waited for.

    `--log-file` of ours counts first.  Raises OSError where a file can't be opened, and
    ValueError where what was asked for makes no sense.
    """
    if settings.log_file:
        return log_file(settings.log_file, settings, reactor)
    if "logFile" in runner:  # twist: an open stream
        return _stream(runner["logFile"], reactor)
    if runner["syslog"]:
        return Syslog(runner["prefix"])
    name = runner["logfile"] or ("-" if runner["nodaemon"] else "twistd.log")
    if name != "-":
        return log_file(Path(name), settings, reactor)
    if not runner["nodaemon"]:
        raise ValueError("a daemon has no stdout to log to: give twistd -n or another --logfile")
    return _stream(sys.stdout, reactor)


def _stream(stream: TextIO | None, reactor: Any) -> File:
    """`stream` without its buffer; None: it was closed before we started."""
    if stream is None:
        return Descriptor(os.open(os.devnull, os.O_WRONLY))
    return descriptor_file(stream.fileno(), reactor)
