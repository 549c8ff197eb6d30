"""What one namespace knows beyond its process: it tells the memory, and goes on with what it said.

Of clients that may come back it is noted how they are served, since a pid says only who they
are: their filter, when they were sent a snapshot, and whether the end was wanted.  Time has no
meaning across processes, so all of them have the whole recovery time again.

Open questions are not kept: a question ends with the connection of its asker, today as ever,
and at a restart every connection ends.  No client of Socket.IO waits for an answer over another
connection.  Answers to such questions are ignored: ids of questions start at random.
"""

from __future__ import annotations

from contextlib import suppress
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import attrs
import orjson

from gateway.relay.recovery import FINAL, Departure
from gateway.relay.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gateway.engineio.session import Session
    from gateway.relay.aliases import Aliases
    from gateway.relay.event import Event
    from gateway.relay.journal import Journal
    from gateway.relay.late_joiners import LateJoiners
    from gateway.relay.log import Log
    from gateway.relay.memory import Memory
    from gateway.relay.recovery import Recovery
    from gateway.relay.remembered import Remembered
    from gateway.relay.subscription import Subscription

CLIENT = "client "
"""With this the names of notes about clients begin; their pid follows."""


class Continuity:
    """The `State` of one namespace for its memory.

    `learn(event)` makes known what an event tells of codes; `owner(session)` is a client's
    address.
    """

    memory: Memory | None = None
    """None: nothing outlives the process."""
    share: Callable[[str, bytes], object] | None = None
    """Tells other gateways of the same log how the client with a pid is served; None: none."""

    def __init__(  # noqa: PLR0917 - the parts of a hub
        self,
        journal: Journal,
        log: Log,
        late_joiners: LateJoiners,
        recovery: Recovery,
        aliases: Aliases,
        learn: Callable[[Event], None],
        owner: Callable[[Session], str],
    ) -> None:
        self._journal = journal
        self._log = log
        self._late_joiners = late_joiners
        self._recovery = recovery
        self._aliases = aliases
        self._learn = learn
        self._owner = owner
        self.more: list[Callable[[], Mapping[str, bytes]]] = []
        """What else a checkpoint notes."""

    # -- to the memory ---------------------------------------------------------------------

    def snapshot(self) -> Sequence[Event]:
        """The events for late joiners."""
        return self._late_joiners.values()

    def notes(self) -> Mapping[str, bytes]:
        """Of the clients that are here or may come back, and `more`."""
        found: dict[str, bytes] = {}
        for owner, pid, left in self._recovery.departures():
            found[CLIENT + pid] = _encode(owner, left)
        for each in self._recovery.present():
            assert each.pid is not None
            found[CLIENT + each.pid] = self._present(each)
        for notes in self.more:
            found.update(notes())
        return found

    def changed(self, subscription: Subscription) -> None:
        """Note the new filter of a client, if it may come back."""
        self.client(subscription)
        if self.share is not None and subscription.pid is not None:
            self.share(subscription.pid, self._present(subscription))

    def client(self, subscription: Subscription) -> None:
        """Note how a client is served, if it may come back."""
        if self.memory is not None and subscription.pid is not None:
            self.memory.note(CLIENT + subscription.pid, self._present(subscription))

    def left(self, subscription: Subscription, reason: str) -> None:
        """Note that one side wanted the end."""
        if subscription.pid is None or reason not in FINAL:
            return
        if self.memory is not None:
            self.memory.note(CLIENT + subscription.pid, self._present(subscription, final=True))
        if self.share is not None:
            self.share(subscription.pid, self._present(subscription, final=True))

    def _present(self, subscription: Subscription, *, final: bool = False) -> bytes:
        owner = self._owner(subscription.socket.session)
        return _encode(owner, Departure.of(subscription, 0, final=final))

    # -- from other gateways ---------------------------------------------------------------

    def begin(self, head: int) -> None:
        """Know nothing, and have the next event at the position `head`; nobody may be here."""
        self._log.restore(self._journal.epoch, None, head)
        self._late_joiners.forget_all()

    def recall(self, events: Sequence[Event], *, counts: bool) -> None:
        """Take `events` that were said before this gateway came to the log; nobody is here yet.

        `counts`: also for the snapshot.
        """
        self._meet(events)
        self._log.catch_up(events)
        if counts:
            self._late_joiners.recall(events)

    def know(self, values: Sequence[Event]) -> None:
        """Have `values` as the snapshot, the oldest first."""
        self._meet(values)
        self._late_joiners.restore(values, supervised=False)

    def _meet(self, events: Sequence[Event]) -> None:
        """Have `events` found by all codes."""
        for event in events:
            if event.trusted and event.name == self._aliases.event:
                self._learn(event)
        for event in events:
            event.aliases = self._aliases.of(event.code)

    def changed_clients(self) -> Iterator[tuple[str, bytes]]:
        """The pids of clients that are not served as their `auth` says, and how they are."""
        for owner, pid, left in self._recovery.departures():
            if left.final or left.selection != left.asked:
                yield pid, _encode(owner, left)
        for each in self._recovery.present():
            if each.pid is not None and each.selection != each.asked:
                yield each.pid, self._present(each)

    def elsewhere(self, pid: str, value: bytes) -> None:
        """Note how another gateway of the same log serves a client, as its `share` told it."""
        with suppress(ValueError, TypeError, KeyError):  # of another version
            self._recovery.moved(pid, *_decode(value))

    # -- from the memory -------------------------------------------------------------------

    def restore(self, known: Remembered, *, goes_on: bool, supervised: bool) -> int:
        """Be what `known` says; returns how many clients may come back.

        `goes_on`: also the log; otherwise this is a new one with the old values.  `supervised`:
        the worker was the gateway's, so it may be gone.
        """
        values, past, name = known.values, known.past, self._aliases.event
        if name is not None:
            told = [event for event in values if event.name == name]
            for event in [*told, *past.named(name)]:
                self._learn(event)
        for event in values:
            event.aliases = self._aliases.of(event.code)
        past.aliases = self._aliases
        self._late_joiners.restore([*values, *past.newest()], supervised=supervised)
        if goes_on:
            self._journal.resume(known.epoch)
        self._log.restore(self._journal.epoch, past if goes_on else None, known.head)
        if not goes_on:
            return 0
        clients = {}
        for name, value in known.notes.items():
            if name.startswith(CLIENT):
                with suppress(ValueError, TypeError, KeyError):  # of another version
                    clients[name.removeprefix(CLIENT)] = _decode(value)
        self._recovery.restore(clients)
        return len(clients)

    def begin_anew(self) -> None:
        """Begin a new log after all: nobody may have been sent anything of this one yet."""
        self._journal.resume(token_hex(8))
        self._log.restore(self._journal.epoch, None, self._log.head)


def _encode(owner: str, left: Departure) -> bytes:
    fields = owner, left.final, left.shown_at, _plain(left.asked), _plain(left.selection)
    return orjson.dumps(fields)


def _decode(value: bytes) -> tuple[str, Departure]:
    owner, final, shown_at, asked, selection = orjson.loads(value)
    return owner, Departure(0, final, _selection(asked), _selection(selection), shown_at)


def _plain(selection: Selection | None) -> dict[str, Any] | None:
    if selection is None:
        return None
    fields = attrs.asdict(selection, recurse=False)
    return {
        name: list(each) if isinstance(each, frozenset) else each for name, each in fields.items()
    }


def _selection(fields: dict[str, Any] | None) -> Selection | None:
    if fields is None:
        return None
    codes, events = [
        None if fields[name] is None else frozenset(fields[name]) for name in ("codes", "events")
    ]
    return Selection(events, codes, fields["trusted"])
