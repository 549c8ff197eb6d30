"""All that one session has to be sent: its own packets and those of its subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.engineio.outbox import BOUND, OVERRUN, Unread

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.outbox import Form, OutboxOwner, Sink
    from gateway.engineio.packet import Record
    from gateway.relay.subscription import Subscription
    from gateway.relay.turn import Turn


class SessionOutbox:
    """The outbox of an Engine.IO session in the relay.

    It writes at the end of the reactor turn: first the views write, then each outbox that
    stepped aside writes alone.
    """

    __slots__ = (
        "_direct",
        "_pumping",
        "_sink",
        "_subscriptions",
        "_turn",
        "owner",
        "ready",
        "resumed",
        "unread",
        "write",
    )

    write: Callable[[bytes], bool]

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._direct: list[Record] = []
        self._subscriptions: tuple[Subscription, ...] = ()
        self._sink: Sink | None = None
        self._pumping = False
        self.ready = False
        self.resumed = 0
        """How often the sink became ready for another write."""
        self.unread = Unread()
        """Counts what is for this client alone, here and in its subscriptions."""
        self.owner: OutboxOwner | None = None

    # -- the session's side -----------------------------------------------------------

    def send(self, record: Record, *, urgent: bool = False) -> None:
        if self._subscriptions and not urgent:  # after all that they have to say
            self._subscriptions[-1].send(record)
            return
        if urgent:
            self._direct.insert(0, record)
        else:
            self._direct.append(record)
        self.unread.add(record)
        self.step_aside()

    def attach(self, sink: Sink) -> None:
        if self._sink is not None:
            self.detach()
        self._sink = sink
        self.write = sink.write
        self.resume()

    def detach(self) -> None:
        self.on_full()
        self._sink = None

    def resume(self) -> None:
        if self.ready:
            # From within a view's write, which does not know yet that it was one too many.
            self.leave()
            self.step_aside()
            self.resumed += 1
            return
        self.resumed += 1
        self.ready = True
        sink = self._sink
        if sink is None or self._pumping:
            return
        waits = bool(self._direct)
        for each in self._subscriptions:  # a generator would cost more than the look
            waits = waits or each.waits
        if not waits:
            self._settle(sink.form)
        elif sink.form.polled:
            self._turn.poll(self)
        else:
            self.pump()

    def close(self) -> None:
        self.detach()
        for subscription in self._subscriptions:
            subscription.close()
        self.unread.remove(self._direct)
        self._direct.clear()
        self.owner = None

    # -- the relay's side -------------------------------------------------------------

    @property
    def form(self) -> Form | None:
        """The form that the transport of the moment takes."""
        return self._sink.form if self._sink is not None else None

    @property
    def at_once(self) -> Callable[[bytes], int] | None:
        """The sink's, see there."""
        return self._sink.at_once if self._sink is not None else None

    @property
    def progress(self) -> tuple[int, int]:
        """A value that changes whenever the peer has taken something."""
        return self.resumed, self._sink.taken if self._sink is not None else 0

    def add(self, subscription: Subscription) -> None:
        """Send what `subscription` has, too."""
        self._subscriptions += (subscription,)
        self.step_aside()

    def remove(self, subscription: Subscription) -> None:
        """Forget `subscription`, which has left."""
        self._subscriptions = tuple(
            [each for each in self._subscriptions if each is not subscription]
        )

    def inherit(self, records: list[Record]) -> None:
        """Send what a subscription that has left had to say; it was counted when it said so."""
        if self._subscriptions:
            self._subscriptions[-1].inherit(records)
        else:
            self._direct += records
            self.step_aside()

    def step_aside(self) -> None:
        """Leave the views, and write alone at the end of this turn."""
        self._turn.step_aside(self)

    def leave(self) -> None:
        """Take every subscription out of its view."""
        for subscription in self._subscriptions:
            subscription.leave()

    def on_full(self) -> None:
        """The sink takes nothing until `resume` is called."""
        self.ready = False
        for subscription in self._subscriptions:  # `leave`, without the call
            subscription.leave()

    def drop(self) -> None:
        """End the session: writing to it raised the exception that is being handled."""
        self._turn.attempt.failed("Writing to a client")
        if self.owner is not None:
            self._turn.attempt("Dropping a client", self.owner.abort, "server error")

    def pump(self) -> None:
        """Write while the sink has room; when nothing is left, join the views."""
        if self._pumping:  # a sink may resume from within write
            return
        self._pumping = True
        self.leave()  # a view reads for who is in it: nobody reads twice
        try:
            while self.ready and self._sink is not None:
                if not (data := self._next(self._sink.form)):
                    self._settle(self._sink.form)
                    break
                self.ready = False
                if self._sink.write(data):
                    self.ready = True
        finally:
            self._pumping = False
        if self.unread.bytes > BOUND and self.unread.is_too_much(self._turn.largest):
            self._turn.on_overrun()
            if self.owner is not None:
                self.owner.abort(OVERRUN)

    def _next(self, form: Form) -> bytes:
        """The bytes of the next write; empty: nothing is left."""
        if self._direct:
            most = form.max_packets or len(self._direct)  # each is one packet
            batch, self._direct = self._direct[:most], self._direct[most:]
            self.unread.remove(batch)
            return form.encode(batch)
        for subscription in self._subscriptions:
            if form.polled:
                self._turn.before_answer(subscription)
            if records := subscription.take(form):
                data = subscription.form(form).encode(records)
                subscription.log.traffic.alone(records, len(data))
                return data
        return b""

    def _settle(self, form: Form) -> None:
        for subscription in self._subscriptions:
            if not subscription.settle(form):
                self.step_aside()
