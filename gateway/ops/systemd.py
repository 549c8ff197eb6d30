"""Tells systemd that the gateway is ready, alive, and about to end (sd_notify).

The protocol is in sd_notify(3) and sd_watchdog_enabled(3): lines of `NAME=value` as one
datagram to the UNIX socket that NOTIFY_SOCKET names, `@` standing for the leading NUL of
an abstract one.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from twisted.application.internet import TimerService
from twisted.application.service import MultiService

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.internet.defer import Deferred


class Notifier(MultiService):
    """Tells systemd of the start and the stop, and in between that the gateway is alive.

    Does nothing where `environ` names no socket.  `clock` is the reactor, so that systemd's
    watchdog notices when the reactor does not run any more.
    """

    name = "systemd's notifier"

    def __init__(self, environ: Mapping[str, str], clock: Any) -> None:
        super().__init__()
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        period = _watchdog(environ)
        if self._address and period:
            alive = TimerService(period / 2, self._say, "WATCHDOG=1")
            alive.clock = clock
            alive.setServiceParent(self)

    def startService(self) -> None:
        """The ports are open."""
        self.ready()
        super().startService()

    def stopService(self) -> Deferred[Any]:
        """The end has begun; it may take the worker's patience."""
        stopped: Deferred[Any] = super().stopService()
        self._say("STOPPING=1")
        return stopped

    def reloading(self) -> None:
        """A hand-over has begun; `ready` is its end, whoever says it."""
        self._say(f"RELOADING=1\nMONOTONIC_USEC={int(time.monotonic() * 1e6)}")

    def ready(self) -> None:
        """All is in place."""
        self._say("READY=1")

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
