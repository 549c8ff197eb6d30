"""The election's hands: asks Redis what it wants to know, and heeds the time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from gateway.cluster.election import Election
from gateway.cluster.lease_script import WRITE, read, written
from gateway.cluster.resp import LostError, RedisError
from gateway.common.attempt import Countdown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.cluster.election import Record, Request
    from gateway.cluster.link import Link
    from gateway.cluster.terms import Terms

_log = Logger(namespace="gateway.cluster")


class Lease:
    """This gateway's part in the election.

    `me`, `clock` and `changed` as for `Election`; `keys` as for `WRITE`.  `may_take()`: whether it
    is of use that this gateway has it; one that does is not asked.
    """

    def __init__(
        self,
        reactor: Any,
        link: Link,
        keys: Sequence[str],
        *,
        me: str,
        terms: Terms,
        clock: Callable[[], float],
        changed: Callable[[], object],
        may_take: Callable[[], bool] = lambda: True,
    ) -> None:
        self.terms = terms
        self.election = Election(me, terms, clock, changed)
        self._link = link
        self._keys = keys
        self._clock = clock
        self._may_take = may_take
        self._timer = Countdown(reactor, "Looking after the right to the worker", self._act)
        self._trouble = ""
        self._released: Deferred[None] | None = None
        link.scripts.append(WRITE)

    def start(self) -> None:
        """Take part."""
        self._link.on_up.append(self._act)
        self._link.on_down.append(self._cut)
        self._act()

    def look(self) -> None:
        """Somebody has released it: look now, and not at the next time."""
        self.election.hurry()
        self._act()

    def release(self) -> Deferred[None]:
        """Give the lease up and take no part any more, now that nothing is left of the worker.

        Fires when Redis knows it, or can't be told.
        """
        self._timer.cancel()
        request = self.election.release(self._link.run)
        released = self._released = Deferred()
        if request is None:
            return succeed(None)
        self._ask(request, lambda _: released.callback(None))
        return released

    # -- inside -----------------------------------------------------------------------------

    def _act(self) -> None:
        """Do what is due."""
        if self._released is not None:
            return
        election = self.election
        election.heed_time()
        if not self._link.is_up:
            self._wait(self._clock() + self.terms.beat)
        elif election.until is None and not self._may_take():
            self._wait(self._clock() + self.terms.look)
        elif self._clock() < election.due:
            self._wait(election.due)
        else:
            self._wait(self._clock() + self.terms.beat)  # for an answer
            request = election.request(self._link.run)
            if request is not None:
                self._ask(request, partial(self._answered, request))

    def _ask(self, request: Request, answer: Callable[[Any], object]) -> None:
        self._link.run_script(WRITE, self._keys, written(request), answer)

    def _answered(self, request: Request, reply: Any) -> None:
        told = reply if isinstance(reply, RedisError) else _told(reply)
        if isinstance(told, RedisError):
            self._failed(told)
            return
        self._trouble = ""
        self.election.answered(request, told)
        self._act()

    def _failed(self, error: RedisError) -> None:
        """Redis says no, or it is gone; what it did is not known."""
        self.election.unanswered()
        if not isinstance(error, LostError):
            if str(error) != self._trouble:
                self._trouble = str(error)
                _log.error("Redis refuses to tell who has the worker: {why}", why=self._trouble)
            self._wait(self._clock() + self.terms.beat)

    def _cut(self) -> None:
        """The connection is gone."""
        self.election.unanswered()
        self._act()

    def _wait(self, due: float) -> None:
        """Until `due`, or until our right ends."""
        if self._released is None:
            until = self.election.until
            due = due if until is None else min(due, until)
            self._timer.begin(max(0.0, due - self._clock()))


def _told(reply: Any) -> Record | RedisError | None:
    """The record that Redis told; an error for what is none."""
    try:
        return read(reply)
    except ValueError as error:
        return RedisError(f"NONSENSE the lease is no record: {error}")
