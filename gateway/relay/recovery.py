"""Connection state recovery, for clients that ask for it.

Source: Socket.IO documentation, "Connection state recovery"; the client sends the `pid`
of its CONNECT reply and the offset of the last event it has seen.
"""

from __future__ import annotations

from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from gateway.engineio.deadlines import Deadline, Deadlines
    from gateway.relay.log import Log
    from gateway.relay.subscription import Subscription

SESSIONS = 1000
"""Recoverable sessions whose client is away; the oldest is given up for a newer one."""

FINAL = frozenset(("client namespace disconnect", "server namespace disconnect"))
"""Reasons after which nobody comes back: somebody wanted the end."""


class Wish(NamedTuple):
    """What a client's auth says about recovery."""

    pid: str | None
    offset: int | None


def wish(auth: dict[str, Any]) -> Wish | None:
    """What `auth` asks for; None: no recovery.

    Without an offset it has heard nothing yet; one that makes no sense could mean
    anything, and its client gets a fresh session.
    """
    if auth.get("recover") is not True:
        return None
    pid, offset = auth.get("pid"), auth.get("offset")
    if isinstance(pid, str):
        if offset is None:
            return Wish(pid, None)
        if isinstance(offset, str) and offset.isascii() and offset.isdigit():
            return Wish(pid, int(offset[:18]))
    return Wish(None, None)


class Recovery:
    """The recoverable subscriptions of one namespace, by their private id."""

    def __init__(self, log: Log, deadlines: Deadlines, seconds: float) -> None:
        self._log = log
        self._deadlines = deadlines
        self._seconds = seconds
        self._all: dict[str, Subscription] = {}
        self._away: dict[Subscription, Deadline] = {}

    def register(self, subscription: Subscription) -> str:
        """Make `subscription` recoverable; returns the pid to tell its client."""
        pid = token_urlsafe(16)
        subscription.pid = pid
        self._all[pid] = subscription
        self._log.retain = True
        return pid

    def find(self, wanted: Wish) -> Subscription | None:
        """The subscription that a client comes back to, its cursor at what it missed.

        None where there is none, or where the log has forgotten what it missed.  A
        client may be back before its old connection is known to be dead; that ends then.
        """
        subscription = self._all.get(wanted.pid or "")
        if subscription is None:
            return None
        if subscription not in self._away:
            subscription.socket.session.abort("transport close")
        deadline = self._away.pop(subscription, None)
        if deadline is None:
            return None
        deadline.cancel()
        cursor = subscription.start if wanted.offset is None else wanted.offset + 1
        if not max(self._log.tail, subscription.start) <= cursor <= self._log.head:
            self.forget(subscription)
            return None
        subscription.cursor = cursor
        return subscription

    def away(self, subscription: Subscription, reason: str) -> None:
        """The client is gone, maybe to come back."""
        if subscription.pid is None:
            return
        if reason in FINAL:
            self.forget(subscription)
            return
        if len(self._away) >= SESSIONS:
            self.forget(next(iter(self._away)))
        self._away[subscription] = self._deadlines.call_later(
            self._seconds, lambda: self.forget(subscription)
        )

    def forget(self, subscription: Subscription) -> None:
        """Nobody comes back to `subscription`."""
        if subscription.pid is not None:
            del self._all[subscription.pid]
        deadline = self._away.pop(subscription, None)
        if deadline is not None:
            deadline.cancel()
        self._log.retain = bool(self._all)
