"""What a trader writes himself: to which contracts to subscribe, what to do on ticks and bars."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from gateway.client.console import log
from gateway.client.minutes import Minutes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.client.connection import Gateway
    from gateway.client.events import Event

WAITING_LIMIT = 10_000
"""Ticks that may wait for a rule; of more the oldest are left out."""
LOOK_EVERY = 1.0
"""Seconds between two looks for minutes that are over."""
TELL_EVERY = 10.0
"""Seconds between two failures that are told: a rule may fail at each tick."""


class Rule:
    """Derive from it, and write the three methods; each may be left out.

    `on_tick` and `on_bar` are called one after the other on a thread of their own: a slow rule
    delays nobody's feed, and one that raises is told as `python_error`, and called again.
    """

    gateway: Gateway
    """For events of your own: `self.gateway.emit("name", {...})`."""
    api: Any = None
    """The `Shioaji` that is logged in; None in the demonstration."""

    def subscribe(self) -> Iterable[str]:
        """The codes to subscribe to, once after the login."""
        return ()

    def on_tick(self, tick: Event) -> None:
        """A trade: the `market_tick` that all clients get, prices as float."""

    def on_bar(self, bar: Event) -> None:
        """A minute that is over: code, time (its start, ISO 8601), open, high, low, close, volume.

        The code is the one that the ticks have: a month's, never TXFR1.
        """


class RuleThread:
    """Calls a rule, in the order in which ticks came."""

    def __init__(
        self, rule: Rule, gateway: Gateway, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rule = rule
        self._gateway = gateway
        self._clock = clock
        self._minutes = Minutes(clock)
        self._waiting: deque[Event] = deque(maxlen=WAITING_LIMIT)
        self._awake = threading.Event()
        self._behind = False
        self._failures = 0
        self._tell_after = -math.inf

    def start(self) -> None:
        threading.Thread(target=self._run, name="rule", daemon=True).start()

    def hear(self, tick: Event) -> None:
        """Take a tick, on any thread; never waits."""
        if len(self._waiting) == WAITING_LIMIT and not self._behind:
            self._behind = True
            log.warning("the rule is behind by %d ticks: the oldest are left out", WAITING_LIMIT)
        self._waiting.append(tick)
        self._awake.set()

    def step(self) -> None:
        """Call the rule for all that waits."""
        while self._waiting:
            tick = self._waiting.popleft()
            self._attempt(self._rule.on_tick, tick)
            self._attempt(self._count, tick)
        self._behind = False
        for bar in self._minutes.over():
            self._attempt(self._rule.on_bar, bar)

    def _count(self, tick: Event) -> None:
        """What can't be counted, such as a tick without a time, is told like a rule that fails."""
        if (bar := self._minutes.add(tick)) is not None:
            self._rule.on_bar(bar)

    def _run(self) -> None:
        while True:
            self._awake.wait(LOOK_EVERY)
            self._awake.clear()
            self.step()

    def _attempt(self, call: Callable[[Event], None], event: Event) -> None:
        try:
            call(event)
        except BaseException as error:  # the broker's library panics with one that is no Exception
            self._failures += 1
            if self._clock() < self._tell_after:
                return
            log.exception("the rule failed, %d times since this was said", self._failures)
            self._gateway.complain(error, "rule")
            self._failures, self._tell_after = 0, self._clock() + TELL_EVERY
