"""Slow consumers: brought up to date by conflation, or dropped, before they cost memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from gateway.common.guard import Periodic

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.deadlines import Deadlines
    from gateway.relay.log import Log
    from gateway.relay.subscription import Subscription
    from gateway.relay.turn import Turn

TICK = 1.0
"""Seconds between two looks at who is behind."""


@attrs.frozen(kw_only=True)
class Patience:
    """What a slow client may cost before something is done about it."""

    bytes: int = 1 << 20
    """Behind by more than this (or twice the largest event) and taking nothing for `stall`."""
    stall: float = 1.0
    """Seconds."""
    longest_stall: float = 10.0
    """Seconds without taking anything, however little waits."""
    late: float = 0.3
    """Seconds that the oldest event which waits for a polling client may be old."""
    passed_over: float = 1.0
    """Seconds in which a late client hears nothing of a key that changes all the time."""
    conflate: bool = True
    """Skip events that newer ones of the same key replace; False: disconnect."""


@attrs.define
class Counters:
    """What was done about slow clients since the start."""

    conflated: int = 0
    """Times a client was brought up to date."""
    skipped: int = 0
    """Events it did not get because of that."""
    evicted: int = 0
    """Clients that were disconnected."""


class SlowConsumers:
    """Looks once a second at everybody who is behind, and at who polls and is late.

    A polling client takes a part of what waits at each poll, so that it never stalls: it
    falls behind in time instead.  `wall` is the wall clock, in seconds since 1970.
    """

    def __init__(
        self,
        turn: Turn,
        patience: Patience,
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
        self._patience = patience
        self._deadlines = deadlines
        self._stalled: dict[Subscription, tuple[tuple[int, int], float]] = {}
        Periodic(deadlines, TICK, "The look at slow clients", self._look)

    def _evicted(self) -> None:
        self.counters.evicted += 1

    def overrun(self, log: Log) -> None:
        """Deal with everybody whose next event is about to be forgotten.

        It waits with the client instead, so that a burst harms nobody; but no more of it
        than the log may hold twice.  Done in every turn, so it looks at sums alone.
        """
        surplus = log.surplus()
        for subscription in [each for each in log.apart if each.cursor < surplus or each.holds]:
            try:
                if subscription.cursor < surplus:
                    subscription.keep()
                if subscription.lag > max(2 * log.max_bytes, _most(log)):
                    self._too_slow(subscription, _most(log))
            except Exception:
                subscription.outbox.drop()

    def refresh(self, subscription: Subscription) -> None:
        """Bring a polling client that is late up to date; at most once in the time it may be late.

        That goes through all that waits for it, which each of its polls takes little of.
        """
        now, late = self._deadlines.clock(), self._patience.late
        if not self._patience.conflate or now - subscription.refreshed <= late:
            return
        since = subscription.waits_since
        if since is not None and self._wall() - since > late:
            subscription.refreshed = now
            self._count(subscription.conflate(self._patience.passed_over))

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
        """Deal with it if it is too slow; `before`: how far its transport was, and since when."""
        if subscription.lag <= 0:
            return
        progress, now = subscription.outbox.progress, self._deadlines.clock()
        if before is None or before[0] != progress:
            before = progress, now
        self._stalled[subscription] = before
        if self._is_too_slow(subscription, now - before[1]):
            self._too_slow(subscription, self._bound(subscription))

    def _is_too_slow(self, subscription: Subscription, stalled: float) -> bool:
        return stalled >= self._patience.longest_stall or (
            stalled >= self._patience.stall and subscription.lag > self._bound(subscription)
        )

    def _bound(self, subscription: Subscription) -> int:
        return max(self._patience.bytes, 2 * subscription.log.largest)

    def _too_slow(self, subscription: Subscription, bound: int) -> None:
        """Bring it up to date; drop it if more than `bound` can't be skipped.

        Nobody holds more than the log itself may, however many keys there are.
        """
        if self._patience.conflate:
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
