"""Reads the log of a namespace: all that it has, and then what comes.

    begin -> the snapshot (GET) -> the entries (XRANGE) -> attached -> take, by the tail (XREAD)

What was said before this gateway came stands in its own log, for clients that come back, but no
tap gets it.  Entries before the snapshot's place change nothing else; from there on the snapshot
goes on with each event.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from twisted.logger import Logger

from gateway.cluster.entry import Entry
from gateway.cluster.places import Place
from gateway.cluster.record import VERSION, Note, Reader, places_of, read_checkpoint
from gateway.cluster.resp import LostError, RedisError
from gateway.common.attempt import Attempts
from gateway.relay.journal import Mark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.cluster.answers import Answers
    from gateway.cluster.own import Batch, Own
    from gateway.cluster.record import Checkpoint, Content
    from gateway.cluster.site import Keys, Site
    from gateway.cluster.snapshots import Snapshots
    from gateway.relay.event import Event
    from gateway.relay.hub import Hub

AT_ONCE: Final = 500
"""Entries that are asked for at one time."""

_log = Logger(namespace="gateway.cluster")


class Events(NamedTuple):
    """What is called, and when."""

    attached: Callable[[], object]
    """All was read; from now on entries come as they are written."""
    returned: Callable[[], object]
    """A batch of this gateway came back from the log."""
    lost_track: Callable[[], object]
    """Entries were forgotten before they were read here: all has to be read anew."""


class Reading:
    """The reading end of the journal of `hub`."""

    def __init__(  # noqa: PLR0917 - the parts of a journal
        self,
        hub: Hub,
        site: Site,
        own: Own,
        keys: Keys,
        snapshots: Snapshots,
        answers: Answers,
        events: Events,
    ) -> None:
        self.places = snapshots.places
        self.is_attached = False
        self.is_busy = False
        """Whether the beginning is being read."""
        self.lead = 0
        """The token that the batches of the worker have."""
        self.passed_over = 0
        """Entries that this gateway does not know."""
        self._hub = hub
        self._site = site
        self._own = own
        self._keys = keys
        self._snapshots = snapshots
        self._answers = answers
        self._events = events
        self._reader = Reader(partial(site.sign, hub.name))
        self._me = f"{site.gateway} {site.incarnation}".encode()
        self._seen: dict[bytes, tuple[bytes, int]] = {}
        """Of each gateway, the incarnation and the number of its last batch."""
        self._checkpoint: Checkpoint | None = None
        """The snapshot whose place was not read yet."""
        self._gap: Place | None = None
        """Before this place entries were missing, and all was read anew; if they are missing again,
        they are nowhere."""
        self._attempt = Attempts()

    # -- the beginning -------------------------------------------------------------------------

    def begin(self, head: Place) -> None:
        """Read all that the log has; `head` is where it is if it has nothing.

        No client may be here.
        """
        self.is_busy = True
        self.lead = 0
        self._seen.clear()
        self._checkpoint = None
        self._start(head)
        self._site.talk.call("GET", self._keys.checkpoint, answer=self._got_checkpoint)

    def stop(self) -> None:
        """The connection was lost: what was begun is void."""
        self.is_busy = False

    def _start(self, place: Place) -> None:
        """Know nothing before `place`."""
        self._hub.continuity.begin(place.number)
        self.places.begin(place, place.number)

    def _got_checkpoint(self, reply: Any) -> None:
        if self._has_failed(reply):
            return
        if reply is not None:
            self._attempt("Reading the snapshot of the log", self._understand, reply)
        self._ask("-")

    def _has_failed(self, reply: Any) -> bool:
        """Whether the beginning can't be read: the next connection tries again."""
        if isinstance(reply, RedisError) and not isinstance(reply, LostError):
            self._site.talk.refuse(f"the log can't be read: {reply}")
        return isinstance(reply, RedisError) or not self.is_busy

    def _understand(self, data: bytes) -> None:
        self._checkpoint = read_checkpoint(data)
        if self._checkpoint is not None:
            self.lead = self._checkpoint.lead

    def _ask(self, start: str) -> None:
        answer = partial(self._got_entries, is_first=start == "-")
        command = "XRANGE", self._keys.log, start, "+", "COUNT", AT_ONCE
        self._site.talk.call(*command, answer=answer)

    def _got_entries(self, reply: Any, *, is_first: bool) -> None:
        if self._has_failed(reply):
            return
        for number, each in enumerate(reply):
            entry = Entry.of(*each)
            if is_first and not number:
                self._start(entry.start)
            if entry.after > self.places.read and entry.start != self._gap:
                self._gap = entry.start  # what comes before it was forgotten meanwhile
                self.begin(entry.start)
                return
            self._take(entry)
        if len(reply) == AT_ONCE:
            self._ask(f"({reply[-1][0].decode()}")
        else:
            self._attach(reply[-1][0].decode() if reply else "{}-{}".format(*self.places.read))

    def _attach(self, last: str) -> None:
        self._use_checkpoint()
        self.is_busy, self.is_attached = False, True
        self._site.tail.follow(self._keys.log, last, self.take)
        self._events.attached()

    def _use_checkpoint(self) -> None:
        checkpoint, self._checkpoint = self._checkpoint, None
        if checkpoint is None:
            return
        self.lead = checkpoint.lead
        self._snapshots.restore(checkpoint)
        for note in checkpoint.notes:
            self._heed(note)

    # -- each entry ----------------------------------------------------------------------------

    def take(self, id: bytes, fields: Sequence[bytes]) -> None:
        """Take the entry `id`, as it is written."""
        entry = Entry.of(id, fields)
        if entry.start == self.places.read or self._may_follow(entry):
            self._take(entry)

    def _may_follow(self, entry: Entry) -> bool:
        """Whether nothing that was before `entry` is missing; else all is read anew."""
        read = self.places.read
        if entry.after > read:
            self.is_attached = False
            self._site.tail.forget(self._keys.log)
            self._events.lost_track()
            return False
        if entry.begins_epoch and entry.after < read:
            _log.warn(
                "The log of {name} has lost events that clients here have got already: Redis came"
                " back with an older state, or with none",
                name=self._hub.name,
            )
        return True

    def _take(self, entry: Entry) -> None:
        if self._checkpoint is not None and entry.place > self._checkpoint[:2]:
            self._use_checkpoint()
        try:
            self._do(entry.start, entry.told)
        except Exception:  # what one gateway wrote must not stop the others
            self._attempt.failed("Reading an entry of the log")
        self.places.passed(entry.place)

    def _do(self, start: Place, told: dict[bytes, bytes]) -> None:
        kind = told.get(b"k")
        if kind == b"b":
            self._take_batch(start, told)
        elif kind == b"c":
            self._snapshots.written()
        elif kind == b"l":
            token = int(told[b"t"])
            if token != self.lead:
                self.lead = token
                self._heed(Mark.WORKER_GONE)
        elif kind != b"e":
            self.passed_over += 1

    def _take_batch(self, start: Place, told: dict[bytes, bytes]) -> None:
        origin, number = told[b"o"], int(told[b"n"])
        believed = int(told[b"t"]) == self.lead
        gateway, _, incarnation = origin.partition(b" ")
        last, seen = self._seen.get(gateway, (b"", 0))
        is_new = incarnation != last or number > seen
        if is_new:
            self._seen[gateway] = incarnation, number
        is_mine = origin == self._me
        batch = self._own.arrived(number) if is_mine else None
        if batch is not None:
            self._take_own(batch, start, believed=believed)
        elif is_new and not (is_mine and self.is_attached):
            self._take_others(told, start, believed=believed)
        else:  # it was sent again to a server that had lost it
            self.places.skip(Place(start.epoch, start.number + int(told[b"c"])))

    def _take_own(self, batch: Batch, start: Place, *, believed: bool) -> None:
        """Take a batch that this gateway has sent: its events are still here."""
        log = self._hub.log
        for said in batch.contents:
            content = None if said.told else said.content
            if said.told and isinstance(said.content, list) and not batch.was_read:
                for number, event in enumerate(said.content, start.number):
                    self.places.follow_early(Place(start.epoch, number), event.position)
            said.told, head, count = True, log.head, places_of(said.content)
            if said.tapped and self.is_attached and isinstance(content, list):
                log.told_before.update(range(head, head + count))
            start = self._enter(content, start, count, believed=believed)
        if batch.was_read:
            self.places.skip(start)
        if self.is_attached:
            self._events.returned()

    def _take_others(self, told: dict[bytes, bytes], start: Place, *, believed: bool) -> None:
        """Take a batch of another gateway, or of this one before it began to read anew."""
        if told[b"v"] != VERSION:
            self.passed_over += 1
            return
        ask = None
        if self.is_attached:
            ask = partial(self._answers.far, told[b"o"].partition(b" ")[0].decode())
        for content in self._reader.read(told[b"b"], ask):
            start = self._enter(content, start, places_of(content), believed=believed)
            if self.is_attached and isinstance(content, list) and content[0].trusted:
                self._site.overheard(content)

    def _enter(self, content: Content | None, place: Place, count: int, *, believed: bool) -> Place:
        """Do what `content` says, which has `count` places from `place` on; returns what follows.

        None: it was told here already.  Events are trusted, and marks heeded, only where they are
        `believed`: a gateway that has not the worker knows nothing of it.
        """
        if isinstance(content, list):
            if not believed:
                for event in content:
                    event.trusted = False
            self._enter_events(content, place)
        elif content is not None and (believed or isinstance(content, Note)):
            self._heed(content)
        return Place(place.epoch, place.number + count)

    def _enter_events(self, events: list[Event], place: Place) -> None:
        hub, places = self._hub, self.places
        position = hub.log.head
        hub.log.epoch = places.name(place, position)
        try:
            if self.is_attached:
                hub.enter(events)
            else:
                hub.continuity.recall(events, counts=self._checkpoint is None)
        finally:
            if hub.log.head > position:
                places.follow(place, position, len(events))
                places.forget(hub.log.tail)
        self._snapshots.count(events)

    def _heed(self, content: Mark | Note) -> None:
        if isinstance(content, Note):
            pid = self._site.sign(self._hub.name, content.said)
            self._hub.continuity.elsewhere(pid, content.value)
        elif self._checkpoint is None:
            self._hub.mark(content)
