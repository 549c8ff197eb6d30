"""One alert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

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
"""It is over, whatever it was."""

WORKER: Final = "worker"
"""The subject of an alert that is about no market."""


@attrs.frozen(kw_only=True)
class Alert:
    """What happened to whom, without secrets."""

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
    """Alerts of the subject before it that were not told."""
