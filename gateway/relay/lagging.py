"""Slow clients: events that were replaced are skipped, or the client is disconnected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from gateway.common.attempt import Periodic

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.deadlines import Deadlines
    from gateway.relay.log import Log
    from gateway.relay.subscription import Subscription
    from gateway.relay.turn import Turn

TICK = 1.0
"""Seconds between two looks at who is behind."""


@attrs.frozen(kw_only=True)
class SlowClientLimits:
    """How slow a client may be before something is done about it."""

    bytes: int = 1 << 20
    """Bytes of backlog (or twice the largest event) above which `stall` counts."""
    stall: float = 1.0
    """Seconds without progress after which a client with such a backlog counts as slow."""
    longest_stall: float = 10.0
    """Seconds without progress after which a client with any backlog counts as slow."""
    late: float = 0.3
    """Age in seconds of the oldest waiting event from which a polling client counts as late."""
    passed_over: float = 1.0
    """Seconds for which a late client may get nothing of a key that changes all the time."""
    conflate: bool = True
    """Skip events that newer ones of the same key replace; False: disconnect."""


@attrs.define
class Counters:
    """What was done about slow clients since the start."""

    conflated: int = 0
    """Times that events of a client's backlog were skipped."""
    skipped: int = 0
    """Events that were skipped."""
    evicted: int = 0
    """Clients that were disconnected."""


class SlowClients:
    """Looks once a second at all clients with a backlog, and at polling clients when they poll.

    A polling client takes something with each poll and so never stalls: it is measured by the
    age of what waits.  `wall` is the wall clock, in seconds since 1970.
    """

    def __init__(
        self,
        turn: Turn,
        limits: SlowClientLimits,
        deadlines: Deadlines,
        *,
        wall: Callable[[], float],
    ) -> None:
        turn.before_trim = self.overrun
        turn.before_answer = self.refresh
        turn.on_overrun = self._evicted
        self._wall = wall
        self.counters = Counters()
        self._logs = turn.logs
        self._limits = limits
        self._deadlines = deadlines
        self._stalled: dict[Subscription, tuple[tuple[int, int], float]] = {}
        Periodic(deadlines, TICK, "The look at slow clients", self._look)

    def _evicted(self) -> None:
        self.counters.evicted += 1

    def overrun(self, log: Log) -> None:
        """Handle the clients whose next event `log` is about to forget.

        The client keeps the events instead, but no more than twice what the log may hold.
        Called in every turn, so it only compares sums.
        """
        surplus = log.surplus()
        for subscription in [each for each in log.apart if each.cursor < surplus or each.kept]:
            try:
                if subscription.cursor < surplus:
                    subscription.keep()
                if subscription.lag > max(2 * log.max_bytes, _most(log)):
                    self._too_slow(subscription, _most(log))
            except Exception:
                subscription.outbox.drop()

    def refresh(self, subscription: Subscription) -> None:
        """Skip replaced events of a polling client that is late; at most once in `late` seconds.

        It goes through all that waits for the client, of which each poll takes little.  What a
        client missed before it came back is older than that, and all of it is promised.
        """
        now, late = self._deadlines.clock(), self._limits.late
        if not self._limits.conflate or now - subscription.refreshed <= late:
            return
        if subscription.is_catching_up:
            return
        since = subscription.waits_since
        if since is not None and self._wall() - since > late:
            subscription.refreshed = now
            self._count(subscription.conflate(self._limits.passed_over))

    def _look(self) -> None:
        before, self._stalled = self._stalled, {}
        for subscription in [each for log in self._logs for each in log.apart]:
            if subscription not in subscription.log.apart:  # gone with another one
                continue
            try:
                self._judge(subscription, before.get(subscription))
            except Exception:
                subscription.outbox.drop()

    def _judge(
        self, subscription: Subscription, before: tuple[tuple[int, int], float] | None
    ) -> None:
        """Act if it is too slow; `before`: its `progress` at an earlier look, and since when."""
        if subscription.lag <= 0:
            return
        progress, now = subscription.outbox.progress, self._deadlines.clock()
        if before is None or before[0] != progress:
            before = progress, now
        self._stalled[subscription] = before
        if self._is_too_slow(subscription, now - before[1]):
            subscription.keep()  # what is for others does not count
            if subscription.lag > 0 and self._is_too_slow(subscription, now - before[1]):
                self._too_slow(subscription, self._bound(subscription))

    def _is_too_slow(self, subscription: Subscription, stalled: float) -> bool:
        return stalled >= self._limits.longest_stall or (
            stalled >= self._limits.stall and subscription.lag > self._bound(subscription)
        )

    def _bound(self, subscription: Subscription) -> int:
        return max(self._limits.bytes, 2 * subscription.log.largest)

    def _too_slow(self, subscription: Subscription, bound: int) -> None:
        """Skip replaced events; disconnect it if more than `bound` bytes can't be skipped.

        No client may keep more than the log itself, however many keys there are.
        """
        if self._limits.conflate:
            self._count(subscription.conflate())
            if subscription.undroppable <= bound and subscription.lag <= _most(subscription.log):
                return
        self.counters.evicted += 1
        subscription.socket.session.abort("slow consumer")

    def _count(self, skipped: int) -> None:
        self.counters.conflated += bool(skipped)
        self.counters.skipped += skipped


def _most(log: Log) -> int:
    """Bytes that may wait for one client: what the log may hold, or two events of the largest."""
    return max(log.max_bytes, 2 * log.largest)
