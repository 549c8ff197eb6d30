"""Which changes are worth an alert, and how often a subject may have one."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs

from gateway.common.times import iso
from gateway.market.events import FEED_STATUS, WORKER_STATUS
from gateway.market.freshness import SILENT
from gateway.market.hours import MARKETS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.engineio.deadlines import Deadline, Deadlines

DIED: Final = "died"
"""The worker ended, and nobody had asked for it."""
PAUSED: Final = "paused"
"""The worker is not started for a while: a ban or a quota of the broker, or the budget."""
FATAL: Final = "fatal"
"""The worker stays down until someone starts it."""
UNREADY: Final = "unready"
"""The worker runs, but does not become ready."""
STALE: Final = "stale"
"""A market trades, and its feed is silent."""
UNRECORDED: Final = "unrecorded"
"""Events can't be recorded, or are missing in the recording."""
UNKEPT: Final = "unkept"
"""Bars can't be written, or their file was damaged or removed."""
SEVERED: Final = "severed"
"""This gateway does not reach the log that it shares with others."""
RECOVERED: Final = "recovered"
"""The trouble that was told before is over."""
OVER: Final = "over"
"""Nothing is wrong any more, and that is no news: somebody stopped the worker, the market closed,
or the gateway has just started.  Told only to who takes an alert for true until then."""
TEST: Final = "test"
"""Somebody wants to know whether alerts arrive."""

WORKER: Final = "worker"
RECORDING: Final = "recording"
BARS: Final = "bars"
CLUSTER: Final = "cluster"
"""The subjects of alerts that are about no market."""
SUBJECTS: Final = (WORKER, RECORDING, BARS, CLUSTER, *MARKETS)
"""All of them."""


@attrs.frozen(kw_only=True)
class Alert:
    """What happened, without secrets."""

    kind: str
    subject: str
    """`worker`, `recording`, `bars`, or the market whose feed it is about."""
    detail: str
    """A sentence for people, in English."""
    timestamp: str
    """ISO 8601, UTC."""
    facts: Mapping[str, Any] = attrs.Factory(dict)
    """For machines, as in `python_status`; of a recovery `lasted`, the seconds of the trouble."""
    held_back: int = 0
    """How many earlier alerts of the subject were not sent."""

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return self.kind in (RECOVERED, OVER, TEST)


# -- The limit.


class AlertLimiter:
    """Passes on at most one alert of each subject and kind in `interval` seconds, by `send`.

    An alert that comes sooner waits, and a newer one of the same subject replaces it.  So the
    last alert of a subject says how things are now, at most `interval` seconds late.
    """

    def __init__(
        self, deadlines: Deadlines, interval: float, send: Callable[[Alert], None]
    ) -> None:
        self._deadlines = deadlines
        self._interval = interval
        self._send = send
        self._sent: dict[tuple[str, str], float] = {}
        self._waiting: dict[str, Deadline] = {}
        self._held_back: Counter[str] = Counter()

    def tell(self, alert: Alert) -> None:
        """Send `alert` now, or later unless a newer one replaces it."""
        waiting = self._waiting.pop(alert.subject, None)
        if waiting is not None:
            waiting.cancel()
            self._held_back[alert.subject] += 1
        now = self._deadlines.clock()
        due = self._sent.get((alert.subject, alert.kind), now - self._interval) + self._interval
        if due <= now:
            self._pass_on(alert)
        else:
            self._waiting[alert.subject] = self._deadlines.call_later(
                due - now, partial(self._pass_on, alert)
            )

    def _pass_on(self, alert: Alert) -> None:
        self._waiting.pop(alert.subject, None)
        self._sent[alert.subject, alert.kind] = self._deadlines.clock()
        self._send(attrs.evolve(alert, held_back=self._held_back.pop(alert.subject, 0)))


# -- Which changes are worth an alert: each change for the worse, once, and the recovery.

STEADY_AFTER: Final = 60.0
"""Seconds that a worker has to run before it counts as recovered."""
PAUSING: Final = frozenset(("ban", "too-many-connections", "quota"))
"""Classes of exits after which the broker refuses logins for a while."""
PLANNED: Final = "planned"
"""The class of exits with status 0 after work: the worker meant to end."""
MAX_DETAIL: Final = 500
"""Most characters of an alert's detail."""
FACTS: Final = (
    "pid",
    "exitCode",
    "signal",
    "class",
    "nextStartAt",
    "restarts",
    "generation",
    "budget",
)

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
    (DIED, _STOPPED): (_WELL, OVER),
    (PAUSED, _STOPPED): (_WELL, OVER),
    (FATAL, _STOPPED): (_WELL, OVER),
    (UNREADY, _STOPPED): (_WELL, OVER),
}
"""The worker's condition, and what happens -> its new condition, and the alert."""


class AlertRules:
    """Makes alerts of the gateway's own events, and of how recording and bars are.

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
        self._since: dict[str, float] = {}  # by subject, when its trouble began

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
            self._steady = self._deadlines.call_later(STEADY_AFTER, self._is_steady)
        happening = _happening(value)
        if happening:
            facts = {name: value[name] for name in FACTS}
            last = value["stderr"][-1] if value["stderr"] else None
            self._happened(happening, value["message"], {**facts, "lastLine": last})

    def _is_steady(self) -> None:
        self._happened(_STEADY, f"The worker has been running for {STEADY_AFTER:g} s", {})

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
        elif value["status"] == "closed" and market in self._stale:
            self._stale.discard(market)
            self._alert(OVER, market, f"{market}: the market is closed", {})
        elif value["status"] == "live" and market in self._stale:
            self._stale.discard(market)
            self._alert(RECOVERED, market, f"{market}: ticks come again", {})

    # -- the recording --------------------------------------------------------------------

    def recording(self, trouble: str, lost: int) -> None:
        """Recording fails because of `trouble`, or "": it goes on; `lost` events are missing."""
        missing = f"{lost} events are missing" if lost else "no event is missing"
        if trouble:
            self._alert(UNRECORDED, RECORDING, f"{trouble}; so far {missing}", {"lost": lost})
        else:
            self._alert(RECOVERED, RECORDING, f"recording goes on; {missing}", {"lost": lost})

    # -- the bars -------------------------------------------------------------------------

    def bars(self, trouble: str) -> None:
        """Bars can't be written because of `trouble`, or "": they are written again."""
        if trouble:
            self._alert(UNKEPT, BARS, f"bars: {trouble}", {})
        else:
            self._alert(RECOVERED, BARS, "bars are written again", {})

    # -- the cluster ----------------------------------------------------------------------

    def cluster(self, trouble: str) -> None:
        """The shared log does not answer because of `trouble`, or "": it answers again."""
        if trouble:
            self._alert(SEVERED, CLUSTER, f"cut off from the shared log: {trouble}", {})
        else:
            self._alert(RECOVERED, CLUSTER, "the shared log answers again", {})

    def _alert(self, kind: str, subject: str, detail: str, facts: Mapping[str, Any]) -> None:
        now = self._deadlines.clock()
        if kind not in (RECOVERED, OVER):
            self._since.setdefault(subject, now)
        elif subject in self._since:
            facts = {**facts, "lasted": round(now - self._since.pop(subject), 3)}
        self._tell(
            Alert(
                kind=kind,
                subject=subject,
                detail=detail[:MAX_DETAIL],
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
