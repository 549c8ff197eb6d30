"""twistd's PID file: one that was left behind does not keep a new gateway from starting.

twistd only asks whether a process with that number exists.  After a crash that may be any
program, and in a container it is the new gateway itself.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {"sjgateway": "a gateway", "twistd": "another program of twistd"}
"""Words in the command lines of programs that write such files, and what they are."""


class PidFile:
    """The file at `path`, which may be missing."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def problem(self) -> str:
        """Why no gateway can be started, and what to do; "" when one can."""
        if not self._writable:
            return (
                f"{self.path} can't be written: start in a folder of your own, or give"
                " twistd --pidfile= for none"
            )
        text = self._text()
        if text and not text.isdecimal():
            return f"{self.path} holds no process id: remove it, or give twistd --pidfile="
        writer = _writer(int(text)) if text else ""
        if writer:
            return (
                f"{writer} runs already, process {text} (so says {self.path}): stop it, or"
                " give twistd another --pidfile"
            )
        return ""

    @property
    def stale(self) -> str:
        """A sentence for people if an ended gateway left the file behind; else ""."""
        text = self._text()
        if text is None or self.problem:
            return ""
        return (
            f"{self.path} is left from before: {f'process {text}' if text else 'it'} is no gateway"
        )

    def remove(self) -> None:
        """Delete the file.  Raises OSError."""
        self.path.unlink(missing_ok=True)

    @property
    def _writable(self) -> bool:
        try:
            there = self.path.lstat().st_mode
        except FileNotFoundError:
            return os.access(self.path.parent, os.W_OK | os.X_OK)
        except OSError:
            return False
        return not stat.S_ISDIR(there) and os.access(self.path, os.R_OK | os.W_OK)

    def _text(self) -> str | None:
        with suppress(OSError, ValueError):
            return self.path.read_text("utf-8").strip()
        return None


def _writer(pid: int) -> str:
    """What process `pid` is, if it may have written the file; else ""."""
    if pid == os.getpid():
        return ""
    import psutil  # noqa: PLC0415  # only a file that was left behind needs it

    try:
        words = {word.rpartition("/")[2] for word in psutil.Process(pid).cmdline()}
    except psutil.NoSuchProcess:
        return ""
    except (psutil.Error, OSError):
        return "a program"
    return next((what for name, what in NAMES.items() if name in words), "")
