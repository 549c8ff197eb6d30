"""One log line for every control action: what, who, from where, and what became of it."""

from __future__ import annotations

from collections import deque
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from twisted.logger import Logger

from gateway.common.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.web.http.request import Request

REFUSED: Final = "refused"
INVALID: Final = "invalid"
"""Who asks may do it, and what was sent can't be understood."""
MOST: Final = 50
"""Actions that are remembered."""
MOST_REFUSED: Final = 10
"""Refused ones that are remembered besides: strangers can make as many as they like."""
MAX_DETAIL: Final = 300
"""Characters of what went wrong that are remembered."""

_log = Logger(namespace="gateway")


class Audit:
    """Logs control actions, and remembers the last ones; `now()` is in seconds since 1970."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._actions: deque[dict[str, Any]] = deque(maxlen=MOST)
        self._refused: deque[dict[str, Any]] = deque(maxlen=MOST_REFUSED)

    def __call__(
        self, request: Request, outcome: str, detail: str = "", *, forced: bool = False
    ) -> None:
        """Say what became of a control action.

        `outcome` is `done`, `failed`, `INVALID` or `REFUSED`, and `detail` says why; neither holds
        a secret.  Of the request only its path is told: a query could hold anything.
        """
        where = request.address
        path = request.path.decode("latin-1")
        _log.info(
            "{what} by {who} from {where}: {outcome}",
            tag="Audit",
            what=f"{request.method.decode('latin-1')} {path}",
            who=request.who,
            where=where or "a UNIX socket",
            outcome=(f"{outcome}: {detail}" if detail else outcome) + " (forced)" * forced,
        )
        (self._refused if outcome == REFUSED else self._actions).appendleft(
            {
                "at": iso(self._now()),
                "path": path,
                "who": request.who,
                "address": where,
                "outcome": outcome,
                "detail": detail[:MAX_DETAIL],
                "forced": forced,
            }
        )

    def actions(self) -> list[dict[str, Any]]:
        """The last actions, newest first; `address` is empty for a UNIX socket."""
        return sorted([*self._actions, *self._refused], key=itemgetter("at"), reverse=True)
