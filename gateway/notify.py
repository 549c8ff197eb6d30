"""sd_notify: telling systemd that we are ready, alive, and about to end.

The protocol is in sd_notify(3) and sd_watchdog_enabled(3): lines of `NAME=value` as one
datagram to the UNIX socket that NOTIFY_SOCKET names, `@` standing for the leading NUL of
an abstract one.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from twisted.internet.task import LoopingCall

if TYPE_CHECKING:
    from collections.abc import Mapping


class Notifier:
    """Does nothing where nobody asked: `environ` names no socket.

    `clock` is the reactor, so that a watchdog that hears from us knows that it turns.
    """

    def __init__(self, environ: Mapping[str, str], clock: Any) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._period = _watchdog(environ)
        self._alive = LoopingCall(self._say, "WATCHDOG=1")
        self._alive.clock = clock

    def ready(self) -> None:
        """The ports are open."""
        self._say("READY=1")
        if self._address and self._period:
            self._alive.start(self._period / 2)

    def stopping(self) -> None:
        """The end has begun; it may take the worker's patience."""
        if self._alive.running:
            self._alive.stop()
        self._say("STOPPING=1")

    def _say(self, state: str) -> None:
        if not self._address:
            return
        sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        with sender, suppress(OSError):  # that nobody hears it is no reason to die
            sender.sendto(state.encode(), self._address)


def _watchdog(environ: Mapping[str, str]) -> float:
    """Seconds in which the watchdog of this process wants to hear from it; 0: never."""
    microseconds = environ.get("WATCHDOG_USEC", "")
    ours = environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
    return int(microseconds) / 1e6 if ours and microseconds.isdigit() else 0.0
