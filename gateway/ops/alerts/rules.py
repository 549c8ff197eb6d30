"""Which changes are worth an alert: each change for the worse, once, and the recovery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.common.times import iso
from gateway.market.events import FEED_STATUS, WORKER_STATUS
from gateway.market.freshness import SILENT
from gateway.ops.alerts.alert import DIED, FATAL, PAUSED, RECOVERED, STALE, UNREADY, WORKER, Alert

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.engineio.deadlines import Deadline, Deadlines

STEADY: Final = 60.0
"""Seconds that a worker has to run before it counts as recovered."""
PAUSING: Final = frozenset(("ban", "too-many-connections", "quota"))
"""Classes of exits after which the broker refuses logins for a while."""
PLANNED: Final = "planned"
"""The class of exits with status 0 after work: the worker meant to end."""
DETAIL: Final = 500
"""Most characters of an alert's detail."""
FACTS: Final = ("pid", "exitCode", "signal", "class", "nextStartAt", "restarts", "generation")

_WELL: Final = "well"
_STARTING: Final = "starting"
_STOPPED: Final = "stopped"
_STEADY: Final = "steady"
_READY: Final = "ready"

_TABLE: Final = {
    (_WELL, DIED): (DIED, DIED),
    (_WELL, PAUSED): (PAUSED, PAUSED),
    (_WELL, FATAL): (FATAL, FATAL),
    (_WELL, UNREADY): (UNREADY, UNREADY),
    # As long as it is not well, only what is worse is news.
    (DIED, PAUSED): (PAUSED, PAUSED),
    (DIED, FATAL): (FATAL, FATAL),
    (PAUSED, FATAL): (FATAL, FATAL),
    (DIED, UNREADY): (UNREADY, UNREADY),
    (PAUSED, UNREADY): (UNREADY, UNREADY),
    (UNREADY, DIED): (DIED, DIED),
    (UNREADY, PAUSED): (PAUSED, PAUSED),
    (UNREADY, FATAL): (FATAL, FATAL),
    # It leaves `fatal` only because someone wants it to: if it comes back, that is news.
    (FATAL, _STARTING): (DIED, None),
    (DIED, _STEADY): (_WELL, RECOVERED),
    (PAUSED, _STEADY): (_WELL, RECOVERED),
    (UNREADY, _READY): (_WELL, RECOVERED),
    # Someone stopped it, and knows.
    (DIED, _STOPPED): (_WELL, None),
    (PAUSED, _STOPPED): (_WELL, None),
    (FATAL, _STOPPED): (_WELL, None),
    (UNREADY, _STOPPED): (_WELL, None),
}
"""The worker's condition, and what happens -> its new condition, and the alert."""


class AlertRules:
    """Makes alerts of the gateway's own events.

    `wall()` is in seconds since 1970; `tell(alert)` is called for each alert.
    """

    def __init__(
        self, deadlines: Deadlines, wall: Callable[[], float], tell: Callable[[Alert], None]
    ) -> None:
        self._deadlines = deadlines
        self._wall = wall
        self._tell = tell
        self._condition: str = _WELL
        self._steady: Deadline | None = None
        self._stale: set[str] = set()

    def published(self, name: str, value: Mapping[str, Any]) -> None:
        """The gateway published the event `name` with the argument `value`."""
        if name == WORKER_STATUS:
            self._worker(value)
        elif name == FEED_STATUS:
            self._feed(value)

    # -- the worker -----------------------------------------------------------------------

    def _worker(self, value: Mapping[str, Any]) -> None:
        if self._steady is not None and value["status"] != _READY:
            self._steady.cancel()
        if value["status"] == "running":
            self._steady = self._deadlines.call_later(STEADY, self._is_steady)
        happening = _happening(value)
        if happening:
            facts = {name: value[name] for name in FACTS}
            self._happened(happening, value["message"], facts)

    def _is_steady(self) -> None:
        self._happened(_STEADY, f"The worker has been running for {STEADY:g} s", {})

    def _happened(self, happening: str, detail: str, facts: Mapping[str, Any]) -> None:
        self._condition, kind = _TABLE.get((self._condition, happening), (self._condition, None))
        if kind is not None:
            self._alert(kind, WORKER, detail, facts)

    # -- the feeds ------------------------------------------------------------------------

    def _feed(self, value: Mapping[str, Any]) -> None:
        market = value["market"]
        if value["reason"] == SILENT:
            self._stale.add(market)
            self._alert(STALE, market, f"{market}: {SILENT}", {})
        elif value["status"] == "closed":
            self._stale.discard(market)
        elif value["status"] == "live" and market in self._stale:
            self._stale.discard(market)
            self._alert(RECOVERED, market, f"{market}: ticks come again", {})

    def _alert(self, kind: str, subject: str, detail: str, facts: Mapping[str, Any]) -> None:
        self._tell(
            Alert(
                kind=kind,
                subject=subject,
                detail=detail[:DETAIL],
                timestamp=iso(self._wall()),
                facts=facts,
            )
        )


def _happening(value: Mapping[str, Any]) -> str | None:
    """What a `python_status` means for the worker's condition."""
    status: str = value["status"]
    if status == "exited":
        return None if value["asked"] or value["class"] == PLANNED else DIED
    if status == "backoff":
        return PAUSED if _is_pause(value) else None
    return status if status in (FATAL, UNREADY, _STOPPED, _STARTING, _READY) else None


def _is_pause(value: Mapping[str, Any]) -> bool:
    """Whether the worker waits for more than its last failure."""
    failed = value["asked"] is False
    return not failed or value["class"] in PAUSING or value["budget"]["remaining"] == 0
