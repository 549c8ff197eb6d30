"""The one gate before every start: what forbids it now, and for how long."""

from __future__ import annotations

from math import isinf
from typing import TYPE_CHECKING, Final, Protocol

from attrs import frozen

from gateway.common.attempt import attempt
from gateway.common.times import iso
from gateway.contract import HeldError, PausedError

if TYPE_CHECKING:
    from collections.abc import Iterable

RECHECK: Final = 5.0
"""Seconds until it is looked again after a check that failed."""


@frozen
class Hold:
    """Why no worker may be started now."""

    reason: str
    seconds: float
    """How long, at most; the gate is asked again then.  Infinite: until a person asks."""
    imposed: bool = False
    """The broker imposed it: `force` overrides it."""
    is_open: bool = False
    """Nobody knows when it ends; who holds it tells when it has."""

    @property
    def endless(self) -> bool:
        """Whether only a person ends it."""
        return isinf(self.seconds)


class Check(Protocol):
    """One reason that may forbid a start."""

    def __call__(self, *, person: bool = False, force: bool = False) -> Hold | None:
        """None: nothing.  `person` and `force` say who asks, and how strongly."""
        ...


class Gate:
    """Asks each of its `checks`, a list to which others may be added.

    A start is one login at the broker, and one worker too many if another lives.  So each
    start asks here at the moment when the process would be made, whoever wants it.
    """

    def __init__(self, checks: Iterable[Check]) -> None:
        self.checks = list(checks)

    def hold(self, *, person: bool = False, force: bool = False) -> Hold | None:
        """What forbids a start for longest; None: nothing.

        A check that raises is a hold of its own: it is asked again soon.
        """
        holds = [self._ask(check, person=person, force=force) for check in self.checks]
        return max(filter(None, holds), key=_seconds, default=None)

    def _ask(self, check: Check, *, person: bool, force: bool) -> Hold | None:
        found: list[Hold | None] = []
        failed = attempt(
            "Looking whether a worker may be started",
            lambda: found.append(check(person=person, force=force)),
        )
        return (
            found[0]
            if failed is None
            else Hold(f"whether one may be started can't be told: {failed}", RECHECK)
        )


def _seconds(hold: Hold) -> float:
    return hold.seconds


def refusal(hold: Hold, now: float) -> HeldError:
    """What a person is told who asks at `now`, in seconds since 1970."""
    if hold.endless or hold.is_open:
        return HeldError("No worker can be started now", hold.reason)
    kind = PausedError if hold.imposed else HeldError
    return kind.until(hold.reason, iso(now + hold.seconds))
