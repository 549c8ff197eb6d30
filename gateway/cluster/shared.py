"""The journal of a namespace whose log several gateways share.

    append -> own (the end of the turn) -> Redis -> tail -> take -> Hub.enter

An event is told to nobody before it has its place in the log, and from there on every gateway
does the same with it, also the one that it came from.  So all clients everywhere get one order.

When the log does not answer for `hold` seconds, the gateway becomes an *island*: what is said here
is told to the clients here at once, without offset, and goes to the log when it is back.  There it
gets its places, and is told only elsewhere.

States, by what they mean for clients that connect:

| state | clients | leads to |
|---|---|---|
| waiting | wait | reading, when the log answers; alone, when it does not |
| alone | come in, to an island that has read nothing of the log | reading |
| reading | those of an island are cut off and come back; all wait | attached |
| attached | come in | reading, when entries are missing: the log was faster than this gateway |

`reading.py` is the reading end, `own.py` has what is on its way.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gateway.cluster import scripts
from gateway.cluster.answers import Answers
from gateway.cluster.own import Own
from gateway.cluster.places import Place, Places
from gateway.cluster.reading import Events, Reading
from gateway.cluster.record import VERSION, Note
from gateway.cluster.resp import LostError, RedisError
from gateway.cluster.site import Keys
from gateway.cluster.snapshots import Snapshots
from gateway.common.attempt import Attempts
from gateway.relay.journal import Mark
from gateway.relay.pids import unsigned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.cluster.own import Batch, Said
    from gateway.cluster.record import Content
    from gateway.cluster.site import Site
    from gateway.engineio.deadlines import Deadline
    from gateway.relay.event import Event
    from gateway.relay.hub import Hub

PATIENCE: Final = 5.0
"""Seconds that clients wait for a log that does not answer."""


class SharedJournal:
    """The journal of `hub`."""

    def __init__(self, hub: Hub, site: Site) -> None:
        self.epoch = ""
        self.own = Own(site.deadlines.clock, site.history)
        self.places = Places(self.own.unplaced)
        self.is_island = False
        self._hub = hub
        self._site = site
        self._keys = Keys.of(site.names, hub.name)
        self._snapshots = Snapshots(site, hub, self.places, self._keys)
        events = Events(self._attached, self._returned, self._begin)
        self.answers = Answers(hub.name, site)
        self.reading = Reading(
            hub, site, self.own, self._keys, self._snapshots, self.answers, events
        )
        self.on_attached: list[Callable[[int], object]] = []
        """Called when the log was read, with how many places of it passed this process by: what
        was said in them was told to no tap."""
        self._heard: int | None = None
        """Up to which place taps were told all, the last time; None: they were told nothing yet."""
        self._is_heard = False
        """Whether they are told all now."""
        self._waiting: list[Callable[[], object]] | None = []
        self._epoch = 0
        """The epoch under which this connection may write; 0: it was not greeted yet."""
        self._last_epoch = self._head = 0
        self._is_scheduled = False
        self._timer: Deadline | None = None
        self._attempt = Attempts()

    # -- for the relay -------------------------------------------------------------------------

    @property
    def wait(self) -> Callable[[Callable[[], object]], object] | None:
        """None: clients may come in."""
        return None if self._waiting is None else self._waiting.append

    def append(self, events: Sequence[Event]) -> None:
        """Take events of one sender here."""
        question = events[0].question
        self._say(list(events), 0 if question is None else self.answers.gather(question))

    def mark(self, mark: Mark) -> None:
        """Take a mark."""
        self._say(mark)

    def share(self, pid: str, value: bytes) -> None:
        """Tell all gateways how the client with this pid is served."""
        self._say(Note(unsigned(pid), value))

    def resume(self, epoch: str) -> None:
        """Do nothing: this log goes on without any process."""

    # -- for the cluster -----------------------------------------------------------------------

    @property
    def is_well(self) -> bool:
        """Whether the log is read, and takes what is said here."""
        return self.reading.is_attached and not self.is_island

    def start(self) -> None:
        """Begin, before the first client."""
        self._hub.continuity.share = self.share
        self.answers.start()
        self._site.deadlines.call_later(PATIENCE, self._open)

    def up(self) -> None:
        """The connection for writing is there."""
        read, site = self.places.read, self._site
        arguments = site.talk.run, site.key_mark, read.number, read.epoch
        site.talk.run_script(scripts.HELLO, self._keys, arguments, self._greeted)

    def down(self) -> None:
        """The connection for writing was lost."""
        self._epoch = 0
        self.reading.stop()
        if self._waiting is not None:  # what they wait for may not come soon
            self._site.deadlines.call_later(PATIENCE, self._open)

    def tell_here(self, name: str, value: dict[str, Any]) -> None:
        """Tell an event of the gateway to its own clients alone."""
        self._enter_alone([self._hub.own_event(name, value)])

    # -- writing -------------------------------------------------------------------------------

    def _say(self, content: Content, question: int = 0) -> None:
        said = self.own.add(content, question)
        if self.is_island:
            self._tell(said)
        elif self._timer is None:
            self._timer = self._site.deadlines.call_later(self._site.hold, self._look)
        if not self._is_scheduled:
            self._is_scheduled = True
            self._site.call_soon(self.flush)

    def flush(self) -> None:
        """Write what was said since the last call, if the log is there."""
        self._is_scheduled = False
        if self._epoch and self.reading.is_attached:
            for batch in self.own.batches():
                self._write(batch)

    def _write(self, batch: Batch, *, may_lack: bool = False) -> None:
        site = self._site
        arguments = (
            self._epoch,
            site.gateway,
            site.incarnation,
            batch.number,
            batch.places,
            site.token(),
            VERSION,
            batch.data,
            "lacks" if may_lack else "",
        )
        answer = partial(self._written, batch)
        site.talk.run_script(scripts.APPEND, self._keys[:2], arguments, answer)

    def _written(self, batch: Batch, reply: Any) -> None:
        """A batch that is refused goes out again on the next connection, with all after it."""
        if reply == 0:
            self.own.was_written(batch)
        elif isinstance(reply, RedisError) and not isinstance(reply, LostError):
            self._site.talk.refuse(f"the log refuses a batch: {reply}")

    def _look(self) -> None:
        """Become an island when the log has kept something for too long."""
        self._timer = None
        oldest = self.own.oldest
        if oldest is None or self.is_island:
            return
        left = oldest + self._site.hold - self._site.deadlines.clock()
        if left > 0:
            self._timer = self._site.deadlines.call_later(left, self._look)
            return
        self._become_island()

    def _become_island(self) -> None:
        self.is_island = True
        for said in self.own.waiting():
            if not said.told:
                self._tell(said)

    def _tell(self, said: Said) -> None:
        """Tell it here, before it has a place."""
        said.told = said.tapped = True
        if isinstance(said.content, list):
            self._enter_alone(said.content)
            for event in said.content:
                event.question = None  # it has been asked
        elif isinstance(said.content, Mark):
            self._hub.mark(said.content)

    def _enter_alone(self, events: list[Event]) -> None:
        """Take `events` into the log of this gateway, without a place in the shared one."""
        self._hub.log.epoch = ""
        self._hub.enter(events)

    # -- a new connection ----------------------------------------------------------------------

    def _greeted(self, reply: Any) -> None:
        if isinstance(reply, RedisError):
            if not isinstance(reply, LostError):
                self._site.talk.refuse(_explained(reply))
            return
        epoch, head, has_snapshot = reply
        self._epoch, self._head = int(epoch), int(head)
        if not self.reading.is_attached:
            self._begin()
            return
        if self._resend() or not has_snapshot:  # an older one may be there, with an older log
            self._snapshots.write(self._epoch, self.reading.lead)

    def _begin(self) -> None:
        """Read all that the log has.

        Clients of an island are cut off: they have events that have no place yet.
        """
        if self._is_heard:
            self._heard, self._is_heard = self.places.read.number, False
        if not self._epoch:
            return  # the next connection comes here
        if self._waiting is None:
            self._waiting = []
        for socket in list(self._hub.members):
            self._attempt("Ending a session", socket.session.abort, "transport error")
        for said in self.own.waiting():
            said.told = False
        self.reading.begin(Place(self._epoch, self._head))

    def _attached(self) -> None:
        """All was read: write what waits, and let clients in."""
        self.is_island = False
        self._last_epoch = self._epoch
        missed = 0 if self._heard is None else self.places.read.number - self._heard
        for heed in self.on_attached:
            self._attempt("Telling that the log was read", heed, missed)
        self._is_heard = True
        self._resend()
        self._open()

    def _resend(self) -> bool:
        """Send again what may not have arrived, before anything new; whether the epoch is new."""
        is_other = self._epoch != self._last_epoch
        self._last_epoch = self._epoch
        before = 0
        for batch in self.own.again(all=is_other):
            self._write(batch, may_lack=batch.number != before + 1 or not before)
            before = batch.number
        self.flush()
        if self.own.is_idle:
            self.is_island = False
        return is_other

    def _returned(self) -> None:
        """A batch of this gateway came back: the log answers."""
        self.is_island = False
        self._snapshots.consider(self._epoch, self.reading.lead)

    def _open(self) -> None:
        """Let clients in, to an island where the log was not read."""
        if self._waiting is None or self.reading.is_busy:
            return
        if not self.reading.is_attached:
            self._become_island()
        waiting, self._waiting = self._waiting, None
        for come_in in waiting:
            self._attempt("Accepting a client", come_in)


def _explained(error: RedisError) -> str:
    """Why the log greets nobody, for the log."""
    if error.code == "KEY":
        return "a cluster of this name has another key: give it another --cluster-name"
    return str(error)
