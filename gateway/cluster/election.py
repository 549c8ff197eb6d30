"""Which gateway of a cluster may have the worker: one at most, whatever fails.

Theory of operation
===================

A broker's login can't be fenced: once a worker is logged in, nobody but its own machine can end it.
So the right to have a worker is a *lease*: it ends by itself, on the holder's own clock, and the
worker is dead by then, since its guardian kills it at that time without a word from anybody.

The log's server keeps one record: who holds the lease, by which token, and the newest *beat*.  All
that is ever asked of the server is one kind of request: write `new` if the record is as expected,
and tell the record as it is then.  There are two states:

    state      what is asked, again and again              leads to
    ---------  ------------------------------------------  -------------------------------------
    Watching   look; where there is no record: mark that;  Holding, when the record is the one
               after a whole lease of one record: take it  that took it
    Holding    renew: a newer beat, if holder and token    Watching, when the record is another
               are still ours                              one, or the time is over

- A renewal that was *sent* at `s` and done makes the right last until `s + lease - margin`.  Past
  that time the token is forgotten for good, also if the server's record still has it.
- A record is taken only by whoever saw it unchanged for a whole lease on its own clock; for the
  longest one of which it has heard, should another gateway have been given another one.  No record
  is written twice, since beats are times of the writer's clock, each later than the one before: so
  one that is the same at both ends was no other one between.
- Nothing is the same each time it is there.  So who finds no record writes a *mark*, which has no
  holder and no run, and watches that.
- A record without a holder was *released*, after the end of its holder's worker, and may be taken
  at once; but only in the run of the server in which it was released.
- A server that starts again, or another one in its place, may know less than before.  It has
  another *run*, so whoever watches begins anew.
- A holder that finds no record, or a mark, before its time is over, writes its own again.

Why there is never a second worker: let `s` be the time at which the last renewal was sent, and `e`
the time at which it was done.  The worker is dead at `s + lease - margin`.  Who takes the lease saw
the record of `e` first at `o >= e`, and took it a whole lease later, on its own clock.  `o + lease`
is after `s + lease - margin` unless the speeds of the two clocks differ by more than the margin in
a lease (2 s of 45).  A request that is late changes nothing of this: a late renewal makes others
wait longer, and counts from when it was sent; a late taking compares the record.  What an older run
of the server did is before everything that was seen of the present one.

All times are in seconds of a clock that also counts while the machine sleeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import evolve, frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.cluster.terms import Terms

MILLISECONDS: Final = 1_000
MICROSECONDS: Final = 1_000_000


@frozen
class Record:
    """What the server knows of the lease."""

    holder: str
    """The gateway that has it, and which process of it; "" when it was released."""
    token: int
    """Grows with each taking."""
    beat: int
    """When the holder wrote this, in microseconds of its own clock."""
    run: str
    """The run of the server in which it was written; "" in a mark."""
    lasts: int = 0
    """How long the holder's lease lasts, in milliseconds; 0 without a holder."""

    @property
    def is_mark(self) -> bool:
        """Whether it says that there was no record."""
        return self.holder == self.run == ""


@frozen(eq=False)
class Request:
    """Write `new` if the record is `expected` (None: there is none); the answer is the record then.

    `renews`: any older beat of the expected holder and token will do, of any run.  Without `new`
    it only asks.
    """

    sent: float
    run: str
    """The run of the server to which it may go."""
    new: Record | None = None
    expected: Record | None = None
    renews: bool = False


@frozen
class Watching:
    """Somebody else has the lease, or nobody: `record`, first seen at `since` in the run `run`."""

    record: Record | None = None
    run: str = ""
    """ "": nothing was seen."""
    since: float = 0.0


@frozen
class Holding:
    """The lease is ours, by `own`, until `until`."""

    own: Record
    until: float
    found: Record | None
    """What the server has, as far as we know: our own record, or a mark, or nothing."""


class Election:
    """One gateway's part in it, without I/O.

    `me` names this process, unlike all others that ever were; `clock` as above.  Call `request`
    when the server can be asked, and at `due`; send what it returns, once; then call `answered`, or
    `unanswered` when no answer can come any more; call `heed_time` at `until`.  From within these
    `changed` is called when `until` is another one.
    """

    def __init__(
        self,
        me: str,
        terms: Terms,
        clock: Callable[[], float],
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        self._me = me
        self._terms = terms
        self._clock = clock
        self._changed = changed
        self._state: Watching | Holding = Watching()
        self._asked: Request | None = None
        self._highest = 0
        """The highest token that was seen."""
        self._longest = terms.lease
        """The longest lease that anybody has, as far as was seen."""
        self._beat = 0
        self.due = 0.0
        """When the next request is due."""

    @property
    def until(self) -> float | None:
        """Until when this gateway may have a worker; None: it may have none."""
        state = self._state
        return state.until if isinstance(state, Holding) and self._clock() < state.until else None

    @property
    def record(self) -> Record | None:
        """The lease as far as we know: our own record, or the one that was seen last."""
        return self._state.own if isinstance(self._state, Holding) else self._state.record

    @property
    def span(self) -> tuple[float, float] | None:
        """Since when `record` is as it is, and when its time is over if it stays so.

        For the holder that is the end of its right, for others when they may take it.  None:
        nothing was seen yet.
        """
        state = self._state
        if isinstance(state, Holding):
            return state.until - self._terms.right, state.until
        return None if state.record is None else (state.since, self._free_at(state))

    def heed_time(self) -> None:
        """Forget the lease if its time is over."""
        if isinstance(self._state, Holding) and self._clock() >= self._state.until:
            self._lost(None, "")

    def request(self, run: str) -> Request | None:
        """What to ask of the server in its run `run`; None: an answer is to come first."""
        self.heed_time()
        if self._asked is None:
            now, state = self._clock(), self._state
            if isinstance(state, Holding):
                self._asked = self._renew(state, run)
            else:
                self._asked = self._look(state, run)
            self.due = now + self._terms.look
            return self._asked
        return None

    def answered(self, request: Request, record: Record | None) -> None:
        """`record` is the answer to `request`."""
        self.heed_time()
        if request is not self._asked:
            return
        self._asked = None
        if record is not None:
            self._highest = max(self._highest, record.token)
            self._longest = max(self._longest, record.lasts / MILLISECONDS)
        if record is not None and record == request.new and record.holder:
            self._won(request, record)
        elif isinstance(self._state, Watching):
            self._saw(record, request.run)
        elif record is None or record.is_mark:
            self._state = evolve(self._state, found=record)
            self.due = self._clock()
        elif _same(record, self._state.own):  # something of ours that was late
            self._state = evolve(self._state, found=record)
        else:
            self._lost(record, request.run)

    def unanswered(self) -> None:
        """No answer can come any more: what was asked may have been done or not."""
        self._asked = None
        self.due = self._clock()

    def hurry(self) -> None:
        """Somebody says that the record has changed: the next request is due now."""
        self.due = self._clock()

    def resume(self, own: Record, until: float) -> None:
        """Go on with what a process before this one held by `own`, until `until` if not renewed."""
        self._state = Holding(own, until, own)
        self._highest = max(self._highest, own.token)
        self.due = self._clock()
        self._changed()

    def release(self, run: str) -> Request | None:
        """Give the lease up, now that nothing is left of the worker; None: there is nothing to say.

        Its answer does not matter: if it never comes, others wait as for a holder that is gone.
        """
        self.heed_time()
        state, self._state, self._asked = self._state, Watching(), None
        if not isinstance(state, Holding):
            return None
        self._changed()
        return Request(
            self._clock(), run, self._written("", state.own.token, run), state.own, renews=True
        )

    # -- what to ask -------------------------------------------------------------------------

    def _renew(self, state: Holding, run: str) -> Request:
        new = self._written(state.own.holder, state.own.token, run)
        forgot = state.found is None or state.found.is_mark
        return Request(self._clock(), run, new, state.found, renews=not forgot)

    def _look(self, state: Watching, run: str) -> Request:
        now = self._clock()
        if state.run != run:
            return Request(now, run)
        if state.record is None:
            return Request(now, run, self._written("", self._highest, ""))
        if now < self._free_at(state):
            return Request(now, run)
        token = max(state.record.token, self._highest) + 1
        return Request(now, run, self._written(self._me, token, run), state.record)

    def _written(self, holder: str, token: int, run: str) -> Record:
        """A record that was never written before."""
        self._beat = max(self._beat + 1, int(self._clock() * MICROSECONDS))
        lasts = round(self._terms.lease * MILLISECONDS) if holder else 0
        return Record(holder, token, self._beat, run, lasts)

    def _free_at(self, state: Watching) -> float:
        """When what is watched may be taken, if it stays."""
        record = state.record
        if record is not None and record.holder == "" and record.run == state.run:
            return state.since
        return state.since + self._longest

    # -- what follows ------------------------------------------------------------------------

    def _won(self, request: Request, record: Record) -> None:
        """It is taken, or renewed."""
        until = request.sent + self._terms.right
        if until <= self._clock():  # as good as not
            self._saw(record, request.run)
            return
        self._state = Holding(record, until, record)
        self.due = request.sent + self._terms.beat
        self._changed()

    def _saw(self, record: Record | None, run: str) -> None:
        now, state = self._clock(), self._state
        if not isinstance(state, Watching) or (state.record, state.run) != (record, run):
            state = self._state = Watching(record, run, now)
        self.due = now if record is None else max(now, min(self.due, self._free_at(state)))

    def _lost(self, record: Record | None, run: str) -> None:
        self._asked = None
        self._state = Watching(record, run, self._clock())
        self._changed()


def _same(record: Record, own: Record) -> bool:
    """Whether both are of one taking."""
    return (record.holder, record.token) == (own.holder, own.token)
