"""What a worker is told besides quotes: its orders, and what happens to the session.

One after the other, on a thread of its own: nothing is told within the call that it is about.
"""

from __future__ import annotations

import queue
import threading
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rehearsed.orders import Told

UP, DOWN, RECONNECTING, SUBSCRIBED = 0, 1, 12, 16
"""Codes of events, as the broker's network library has them."""
WORDS = {
    UP: "Session up",
    DOWN: "Session down",
    RECONNECTING: "Session reconnecting",
    SUBSCRIBED: "Subscribe or Unsubscribe ok",
}
OK = 200
"""The response to a subscription; with all other events it is 0."""


class Telling:
    """Calls `order(state, message)`, `event(response, code, info, text)` and `session_down()`.

    `order_state(name)` makes the state of a name such as `FuturesDeal`.
    """

    def __init__(self, order_state: Callable[[str], Any]) -> None:
        self._order_state = order_state
        self._calls: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self.order: Callable[[Any, Any], object] | None = None
        self.event: Callable[[int, int, str, str], object] | None = None
        self._session_down: Callable[[], object] | None = None
        self._is_down_untold = False

    @property
    def session_down(self) -> Callable[[], object] | None:
        """Who comes late hears of it, too: a worker that still starts must not miss a fault."""
        return self._session_down

    @session_down.setter
    def session_down(self, callback: Callable[[], object] | None) -> None:
        self._session_down = callback
        if self._is_down_untold:
            self._tell_down()

    def begin(self) -> None:
        """Start the thread; what is told from now on is told by it."""
        calls = self._calls = queue.SimpleQueue()
        threading.Thread(target=_call, args=(calls,), name="rehearsal told", daemon=True).start()

    def end(self) -> None:
        """Let the thread end when all is told."""
        self._calls.put(None)

    def is_up(self) -> None:
        """Tell that there is a session."""
        self._is_down_untold = False
        self._happened(UP)

    def is_down(self) -> None:
        """Tell that it is lost."""
        self._happened(RECONNECTING)
        self._happened(DOWN)
        self._tell_down()

    def subscribed(self, topic: str) -> None:
        """Tell that a subscription was made, or ended."""
        self._happened(SUBSCRIBED, topic)

    def orders(self, told: Sequence[Told]) -> None:
        """Tell of orders and deals."""
        for name, message in told:
            self._calls.put(partial(self._tell, name, message))

    def _happened(self, code: int, info: str = "") -> None:
        if self.event is not None:
            response = OK if code == SUBSCRIBED else 0
            self._calls.put(partial(self.event, response, code, info, WORDS[code]))

    def _tell_down(self) -> None:
        self._is_down_untold = self._session_down is None
        if self._session_down is not None:
            self._calls.put(self._session_down)

    def _tell(self, name: str, message: dict[str, Any]) -> None:
        if self.order is not None:
            self.order(self._order_state(name), message)


def _call(calls: queue.SimpleQueue[Callable[[], object] | None]) -> None:
    while (call := calls.get()) is not None:
        try:
            call()
        except Exception:  # as the library does: it is printed, and the next one is called
            traceback.print_exc()
