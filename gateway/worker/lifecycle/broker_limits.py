"""The budget of starts, and the pauses that the broker imposes.

A pause begins when the worker prints or reports the broker's words for too many connections (code
451) or a ban (503), see `classification.IMPOSING`: `run_reports.py` calls
`BrokerLimits.record_error`.  The ledger keeps it over a restart of the gateway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.worker.lifecycle.classification import IMPOSING
from gateway.worker.lifecycle.gate import Hold
from gateway.worker.lifecycle.ledger import next_day, trading_day

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.lifecycle.ledger import Ledger
    from gateway.worker.settings import WorkerSettings

ONE_LOGIN: Final = 1.0
"""Errors within this many seconds of each other are about one login."""
MOVED: Final = 1.0
"""A pause that moved by fewer seconds is not written to the ledger anew."""


class BrokerLimits:
    """A budget of starts per trading day, and the pauses that the broker imposes.

    `clock` is monotonic, `wall` gives seconds since 1970; both in seconds.  `begin` comes first.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        ledger: Ledger,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._clock = clock
        self._wall = wall
        self._is_real = not settings.mark
        """Whether there is a broker: else the ledger neither says nor hears anything."""
        self._level = 0
        self._paused_until = 0.0
        self._imposed_by: int | None = None
        self._errors = 0
        self._error_at = 0.0

    def begin(self) -> None:
        """Go on with the pause that the ledger remembers, now that `clock` runs."""
        if not self._is_real:
            return
        until, self._level = self._ledger.pause
        # The wall clock may have jumped.
        left = min(until - self._wall(), self._settings.pause_max)
        if left > 0:
            self._paused_until = self._clock() + left

    def hold(self, *, person: bool = False, force: bool = False) -> Hold | None:
        """What forbids a start now; None: nothing.

        A `person` overrides the budget, `force` the broker's pause, too.
        """
        left = self._paused_until - self._clock()
        if left > 0 and not force:
            return Hold("the broker asked for a pause (code 451 or 503)", left, imposed=True)
        if not person and self._is_real and self.used >= self._settings.budget:
            return Hold(
                f"today's budget of {self._settings.budget} starts is spent",
                next_day(self._wall()) - self._wall(),
            )
        return None

    def started(self, written: Callable[[], object] = bool) -> None:
        """A worker was started; `written` is called when that is in the ledger's file."""
        if self._is_real:
            self._ledger.count(self._wall())
            self._ledger.flush().addCallback(lambda _: self._ledger.is_written and written())

    def adopted(self) -> None:
        """A worker was taken over: a login less than without that."""
        if self._is_real:
            self._ledger.count(self._wall(), "adoptions")

    def record_error(self, cause: str, generation: int) -> int:
        """The worker `generation` told of an error of class `cause`.

        Returns 0 if that imposes no pause, else how many times this worker told it during its
        pause: 2 or more means that it logs in again without waiting.  A pause is longer for each
        further generation, and begins again with each error.
        """
        if cause not in IMPOSING:
            return 0
        now = self._clock()
        if self._imposed_by != generation:
            self._imposed_by = generation
            self._level += 1
            self._errors = 0
        elif self._paused_until <= now:
            self._errors = 0
        if self._errors == 0 or now - self._error_at >= ONE_LOGIN:
            self._errors += 1
            self._error_at = now
        pause = self._settings.pause_first * 2.0 ** min(self._level - 1, 30)
        pause = min(pause, self._settings.pause_max)
        self._paused_until = max(self._paused_until, self._clock() + pause)
        until = self._wall() + self._paused_until - self._clock()
        kept, level = self._ledger.pause
        if self._is_real and (level != self._level or abs(until - kept) >= MOVED):
            self._ledger.keep_pause(until, self._level)
        return self._errors

    def reset_pause(self) -> None:
        """A worker has been ready for long: the next pause is a short one again."""
        if self._level:
            self._level = 0
            if self._is_real:
                self._ledger.keep_pause(0, 0)

    @property
    def used(self) -> int:
        """The starts of this trading day."""
        return self._ledger.starts(trading_day(self._wall()))

    @property
    def saved(self) -> int:
        """The workers of this trading day that were taken over and had not to log in."""
        return self._ledger.starts(trading_day(self._wall()), "adoptions")

    def budget(self) -> dict[str, Any]:
        """For people: the day, its starts, what is left, and the logins that were saved."""
        return {
            "day": trading_day(self._wall()),
            "used": self.used,
            "limit": self._settings.budget,
            "remaining": max(0, self._settings.budget - self.used),
            "saved": self.saved,
        }
