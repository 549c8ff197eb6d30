"""No more alerts than somebody can read."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.alerts.alert import Alert
    from gateway.engineio.deadlines import Deadline, Deadlines


class Limiter:
    """Passes on one alert of a subject and a kind in `interval` seconds.

    What comes sooner waits for its time, or until something newer of the subject makes it
    worthless: what was told last is always how things are, if `interval` late.
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
        """Send `alert` now, later, or never."""
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
