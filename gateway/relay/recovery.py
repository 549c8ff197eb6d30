"""Connection state recovery, for clients that ask for it.

Source: Socket.IO documentation, "Connection state recovery"; the client sends the `pid`
of its CONNECT reply and the offset of the last event it has seen.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.common.shares import Shares
from gateway.engineio.outbox import Form
from gateway.engineio.packet import Packet, Record
from gateway.relay.event import Event
from gateway.relay.journal import Offset
from gateway.relay.pids import Pid

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from gateway.engineio.deadlines import Deadlines
    from gateway.relay.journal import Places
    from gateway.relay.log import Log
    from gateway.relay.pids import Pids
    from gateway.relay.selection import Selection
    from gateway.relay.subscription import Subscription

_new = tuple.__new__  # half the cost of a named tuple's own constructor
NOTES = 1000
"""Clients that have left of which it is noted how."""

FINAL = frozenset(("client namespace disconnect", "server namespace disconnect"))
"""Reasons after which a client can't be recovered: one side wanted the end."""


class RecoveryRequest(NamedTuple):
    """What a client's auth says about recovery."""

    pid: str | None
    offset: Offset | None


class Recovered(NamedTuple):
    """A client that comes back, and where it goes on."""

    pid: str
    sid: str
    start: int
    """The position of the first event that was for it."""
    cursor: int
    """The position of the first event that it missed, but for those below."""
    since: int
    """From where on it missed also those before `cursor` that have no offset."""
    selection: Selection | None
    """Its filter when it left; it may have changed `asked` by then."""
    asked: Selection | None


class Departure(NamedTuple):
    """How a client left, which its pid does not say; `at` is on the deadlines' clock."""

    at: float
    final: bool
    """Whether one side wanted the end."""
    asked: Selection | None
    selection: Selection | None
    shown_at: int
    """The position in the log of the last snapshot that it was sent."""

    @classmethod
    def of(cls, subscription: Subscription, at: float, *, final: bool) -> Departure:
        """That of `subscription`, which leaves."""
        each = subscription
        return cls(at, final, each.asked, each.selection, each.shown_at)


def recovery_request(auth: dict[str, Any]) -> RecoveryRequest | None:
    """What `auth` asks for; None: no recovery.

    Without an offset the client has received nothing yet.  With one that can't be read it gets
    a new session.
    """
    if auth.get("recover") is not True:
        return None
    pid, offset = auth.get("pid"), auth.get("offset")
    if isinstance(pid, str):
        if offset is None:
            return RecoveryRequest(pid, None)
        place = Offset.parse(offset) if isinstance(offset, str) else None
        if place is not None:
            return RecoveryRequest(pid, place)
    return RecoveryRequest(None, None)


class Recovery:
    """Which clients may come back to one namespace, and to where in its log.

    A pid is signed, so nothing has to be stored to believe it.  How the last `NOTES` clients left
    is noted.  Others come back if the log still holds what they missed, but only without a
    filter, since they may have changed it, and with an offset, since they may have been sent a
    snapshot.

    `places`: those of a log that several gateways share; each of them is then told of every
    change of a filter (`moved`), so that a client with a filter comes back to any of them.
    """

    def __init__(
        self,
        log: Log,
        pids: Pids,
        deadlines: Deadlines,
        seconds: float,
        places: Places | None = None,
    ) -> None:
        self._log = log
        self._places = places or log
        self._is_shared = places is not None
        """Whether its clients may come back to another gateway, too."""
        log.retain = self._is_shared
        self._pids = pids
        self._deadlines = deadlines
        self._seconds = seconds
        self._here: dict[str, Subscription] = {}
        self._left: Shares[str, Departure] = Shares(NOTES)
        self._until = 0.0
        """Until when a client that has left may come back."""
        self._watching = False

    def restore(self, left: Mapping[str, tuple[str, Departure]]) -> None:
        """Let the clients of a process before this one come back, as if they left now.

        `left` by pid, with its owner.
        """
        now = self._deadlines.clock()
        for pid, (owner, departure) in left.items():
            self._left.put(owner, pid, departure._replace(at=now))
        self._until = now + self._seconds
        self._look()

    def moved(self, pid: str, owner: str, departure: Departure) -> None:
        """Note how a client of another gateway is served, which may come here."""
        self._left.put(owner, pid, departure._replace(at=inf, shown_at=self._log.head))

    def present(self) -> Collection[Subscription]:
        """The clients that are here and could come back."""
        return self._here.values()

    def departures(self) -> Iterator[tuple[str, str, Departure]]:
        """The owners and pids of clients that have left, and how they left."""
        return self._left.items()

    def register(self, subscription: Subscription) -> str:
        """Make `subscription` recoverable; returns the pid to tell its client."""
        place = self._places.offset(subscription.start)
        pid = subscription.pid or self._pids.sign(Pid(subscription.sid, place))
        subscription.pid = pid
        self._here[pid] = subscription
        self._log.retain = True
        return pid

    def awaits(self, wanted: RecoveryRequest) -> bool:
        """Whether it may come back soon: another gateway told it more than was read here yet."""
        return (
            wanted.offset is not None
            and self._places.awaits(wanted.offset)
            and self._pids.read(wanted.pid or "") is not None
        )

    def find(self, wanted: RecoveryRequest, selection: Selection | None) -> Recovered | None:
        """Where the client that asks for `selection` goes on; None: it can't be recovered.

        It can't if its pid is of another log, if it was away for too long, or if the log has
        forgotten what it missed.  Its old connection is ended if it still seems to live.
        """
        text = wanted.pid or ""
        pid = self._pids.read(text)
        start = None if pid is None else self._places.position(pid.start)
        if pid is None or start is None:
            return None
        present = self._here.get(text)
        if present is not None:
            present.socket.session.abort("transport close")
        left = self._left.get(text)
        place = pid.start if wanted.offset is None else wanted.offset.next
        cursor = self._places.position(place)
        heard = -1 if wanted.offset is None or cursor is None else cursor - 1
        if (
            cursor is None
            or cursor < start
            or not self._may_return(left, selection, heard)
            or not self._log.has(since := self._places.since(place, cursor))
        ):
            return None
        self._left.pop(text)
        asked = now = selection
        if left is not None and left.asked == selection:
            now = left.selection
        return Recovered(text, pid.sid, start, cursor, since, now, asked)

    def away(self, subscription: Subscription, reason: str, owner: str) -> None:
        """Note how a client left that may come back; it uses a share of `owner`."""
        if subscription.pid is None or self._here.get(subscription.pid) is not subscription:
            return
        del self._here[subscription.pid]
        final = reason in FINAL
        now = self._deadlines.clock()
        at = inf if self._is_shared else now  # it may be at another gateway since
        self._left.put(owner, subscription.pid, Departure.of(subscription, at, final=final))
        if not final:
            self._until = now + self._seconds
        self._look()

    def _may_return(self, left: Departure | None, selection: Selection | None, heard: int) -> bool:
        """Whether it may; `heard`: the position of the last event that it has received, or -1.

        How much of a snapshot it received is known only if it received an event after it.
        """
        if left is None:
            return heard >= 0 and (selection is None or self._is_shared)
        return (
            not left.final
            and self._deadlines.clock() < left.at + self._seconds
            and left.shown_at <= heard
        )

    def _look(self) -> None:
        """Let the log forget what nobody can come back for, now or when it is time."""
        wait = self._until - self._deadlines.clock()
        self._log.retain = bool(self._here) or wait > 0 or self._is_shared
        if wait > 0 and not self._watching:
            self._watching = True
            self._deadlines.call_later(wait, self._expire)

    def _expire(self) -> None:
        self._watching = False
        self._look()


# -- Events with their offset as the last argument, for clients that can be recovered.


class WithOffset(Form):
    """Another form for events with their offset put into the text; nothing is encoded again.

    An event with an ack id has none: clients do not count it.
    """

    def __init__(self, form: Form) -> None:
        self.key = f"{form.key}+offset"
        self.max_packets = form.max_packets
        self.max_bytes = form.max_bytes
        self.polled = form.polled
        self._form = form

    def encode(self, records: Sequence[Record]) -> bytes:
        return self._form.encode([_with_offset(record) for record in records])


def _with_offset(record: Record) -> Record:
    if not isinstance(record, Event) or record.acked:
        return record
    if not record.epoch:  # it has no place in the log that gateways share
        return record
    text, *attachments = record.packets
    end = b',"%b-%d"]' % (record.epoch.encode(), record.position)  # as `Offset` is written
    return Record(_new(Packet, (text[0].rstrip()[:-1] + end, False)), *attachments)
