"""One alert, its text, and the limit of alerts for each subject."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs

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
RECOVERED: Final = "recovered"
"""The trouble that was told before is over."""

WORKER: Final = "worker"
"""The subject of an alert that is about no market."""


@attrs.frozen(kw_only=True)
class Alert:
    """What happened, without secrets."""

    kind: str
    subject: str
    """`worker`, or the market whose feed it is about."""
    detail: str
    """A sentence for people, in English."""
    timestamp: str
    """ISO 8601, UTC."""
    facts: Mapping[str, Any] = attrs.Factory(dict)
    """For machines, as in `python_status`."""
    held_back: int = 0
    """How many earlier alerts of the subject were not sent."""


# -- An alert as a line of text.

TITLES: Final = {
    "en": {
        DIED: "Worker died",
        PAUSED: "Worker paused",
        FATAL: "Worker stays down",
        UNREADY: "Worker is not ready",
        STALE: "Feed is silent",
        RECOVERED: "Recovered",
    },
    "zh-TW": {
        DIED: "worker 異常結束",
        PAUSED: "worker 暫停啟動",
        FATAL: "worker 已停住，須有人重新啟動",
        UNREADY: "worker 遲遲未就緒",
        STALE: "盤中沒有行情",
        RECOVERED: "已恢復正常",
    },
}
"""By language and kind; the details that follow are in English."""
_MORE: Final = {"en": "{} more held back", "zh-TW": "另有 {} 則未發送"}


def text(alert: Alert, language: str, gateway: str) -> str:
    """`[gateway] Title: detail`; `gateway` is the name of the machine."""
    line = f"[{gateway}] {TITLES[language][alert.kind]}: {alert.detail}"
    if alert.held_back:
        line += f" ({_MORE[language].format(alert.held_back)})"
    return line


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
