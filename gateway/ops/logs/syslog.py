"""Writes log lines to the system's log, which may be slow, restarted, or missing."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from typing import Final

SOCKET: Final = "/dev/log"
PRIORITY: Final = 1 << 3 | 6
"""Facility user, severity info (RFC 3164)."""


class Syslog:
    """Sends each line as a datagram to `path`, under the name `prefix`.

    It never waits: the C library's syslog() would wait for a daemon that hangs.
    """

    def __init__(self, prefix: str, path: str = SOCKET) -> None:
        self._prefix = prefix
        self._path = path
        self._socket: socket.socket | None = None

    def write(self, data: bytes) -> None:
        """Send all lines of `data`.  Raises OSError when not all of them were sent."""
        for line in data.decode().splitlines():
            now = time.strftime("%b %e %H:%M:%S")
            text = f"<{PRIORITY}>{now} {self._prefix}[{os.getpid()}]: {line}"
            self._send(text.encode())

    def _send(self, message: bytes) -> None:
        if self._socket is not None:
            try:
                self._socket.send(message)
            except BlockingIOError:
                raise
            except OSError:  # it was restarted
                self._close()
            else:
                return
        self._open().send(message)

    def _open(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        made.setblocking(False)
        try:
            made.connect(self._path)
        except OSError:
            made.close()
            raise
        self._socket = made
        return made

    def _close(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
            self._socket = None
