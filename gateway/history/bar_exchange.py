"""Bars for and from other gateways: the thread of bars makes and takes pages of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.history.bar_keeper import BarKeeper
    from gateway.history.bar_page import Page, Wish
    from gateway.history.event_thread import EventThread

    T = TypeVar("T")


class BarExchange:
    """What other gateways are told of the bars of `keeper`, and what they tell.

    All answers come in their place among the events that the thread of `tap` takes, and fail with
    what the work raised.
    """

    def __init__(
        self, keeper: BarKeeper, tap: EventThread, call_from_thread: Callable[..., None]
    ) -> None:
        self._keeper = keeper
        self._tap = tap
        self._call_from_thread = call_from_thread

    def missed(self) -> Deferred[float]:
        """Ticks were missed until now; the time of the newest one before, 0: there was none."""
        return self._ask(self._keeper.missed)

    def tell(self, wish: Wish) -> Deferred[Page]:
        """A page of the bars of the present source."""
        return self._ask(lambda: self._keeper.present.page(wish))

    def take(self, page: Page) -> Deferred[None]:
        """Have the bars of another gateway."""
        return self._ask(lambda: self._keeper.book_of(page.mark).join(page))

    def _ask(self, work: Callable[[], T]) -> Deferred[T]:
        answer: Deferred[T] = Deferred()

        def do() -> None:
            try:
                found = work()
            except Exception as error:
                self._call_from_thread(answer.errback, error)
            else:
                self._call_from_thread(answer.callback, found)

        self._tap.call(do)
        return answer
