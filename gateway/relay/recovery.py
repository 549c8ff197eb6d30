"""Connection state recovery, for clients that ask for it.

Source: Socket.IO documentation, "Connection state recovery"; the client sends the `pid`
of its CONNECT reply and the offset of the last event it has seen.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.common.shares import Shares
from gateway.engineio.outbox import Form
from gateway.engineio.packet import Packet, Record
from gateway.relay.event import Event
from gateway.relay.journal import Offset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.engineio.deadlines import Deadlines
    from gateway.relay.log import Log
    from gateway.relay.selection import Selection
    from gateway.relay.subscription import Subscription

NOTES = 1000
"""Clients that are away of which it is noted how they left."""

FINAL = frozenset(("client namespace disconnect", "server namespace disconnect"))
"""Reasons after which nobody comes back: somebody wanted the end."""


class RecoveryRequest(NamedTuple):
    """What a client's auth says about recovery."""

    pid: str | None
    offset: Offset | None


class Recovered(NamedTuple):
    """Who comes back, and what it missed."""

    pid: str
    sid: str
    start: int
    """The position of the first event that was ever meant for it."""
    cursor: int
    """The position of the first event that it missed."""
    selection: Selection | None
    """What it receives, as it may have changed it since it asked for `asked`."""
    asked: Selection | None


class Departure(NamedTuple):
    """How a client left: what its pid can't tell."""

    at: float
    final: bool
    """Whether somebody wanted the end."""
    asked: Selection | None
    selection: Selection | None
    shown_at: int
    """Where the last snapshot stands that it was sent."""


def recovery_request(auth: dict[str, Any]) -> RecoveryRequest | None:
    """What `auth` asks for; None: no recovery.

    Without an offset it has heard nothing yet; one that makes no sense could mean
    anything, and its client gets a fresh session.
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
    """Who may come back to one namespace, and to where in its log.

    A pid is believed for its signature, so nothing is stored for that.  Of those who left
    last it is noted when and how; who is not noted any more comes back for whatever the log
    still holds, but only without a filter, since it may have changed that, and with an offset,
    since it may have been sent a snapshot.
    """

    def __init__(self, log: Log, pids: Pids, deadlines: Deadlines, seconds: float) -> None:
        self._log = log
        self._pids = pids
        self._deadlines = deadlines
        self._seconds = seconds
        self._here: dict[str, Subscription] = {}
        self._left: Shares[str, Departure] = Shares(NOTES)
        self._until = 0.0
        """Until when somebody may come back who is away."""
        self._watching = False

    def register(self, subscription: Subscription) -> str:
        """Make `subscription` recoverable; returns the pid to tell its client."""
        place = Offset(self._log.epoch, subscription.start)
        pid = subscription.pid or self._pids.sign(Pid(subscription.sid, place))
        subscription.pid = pid
        self._here[pid] = subscription
        self._log.retain = True
        return pid

    def find(self, wanted: RecoveryRequest, selection: Selection | None) -> Recovered | None:
        """Where a client comes back to that asks for `selection`; None: nowhere.

        That is so for a pid of another log, for who was away for too long, and where the
        log has forgotten what it missed.  A client may be back before its old connection is
        known to be dead; that ends then.
        """
        text = wanted.pid or ""
        pid = self._pids.read(text)
        if pid is None or pid.start.epoch != self._log.epoch:
            return None
        present = self._here.get(text)
        if present is not None:
            present.socket.session.abort("transport close")
        left = self._left.get(text)
        cursor = pid.start if wanted.offset is None else wanted.offset.next
        if (
            cursor.position < pid.start.position
            or not self._log.has(cursor)
            or not self._may_return(left, selection, wanted.offset)
        ):
            return None
        self._left.pop(text)
        asked = now = selection
        if left is not None and left.asked == selection:
            now = left.selection
        return Recovered(text, pid.sid, pid.start.position, cursor.position, now, asked)

    def away(self, subscription: Subscription, reason: str, owner: str) -> None:
        """The client is gone, maybe to come back; it counts as one of `owner`'s."""
        if subscription.pid is None or self._here.get(subscription.pid) is not subscription:
            return
        del self._here[subscription.pid]
        final = reason in FINAL
        now = self._deadlines.clock()
        left = Departure(
            now, final, subscription.asked, subscription.selection, subscription.shown_at
        )
        self._left.put(owner, subscription.pid, left)
        if not final:
            self._until = now + self._seconds
        self._look()

    def _may_return(
        self, left: Departure | None, selection: Selection | None, heard: Offset | None
    ) -> bool:
        """Whether it may; `heard`: the last event that it has seen.

        Nobody knows how much came through of a snapshot after which it has seen nothing.
        """
        if left is None:
            return selection is None and heard is not None
        return (
            not left.final
            and self._deadlines.clock() < left.at + self._seconds
            and left.shown_at <= (-1 if heard is None else heard.position)
        )

    def _look(self) -> None:
        """Let the log forget what nobody comes back for, now or when it is time."""
        wait = self._until - self._deadlines.clock()
        self._log.retain = bool(self._here) or wait > 0
        if wait > 0 and not self._watching:
            self._watching = True
            self._deadlines.call_later(wait, self._expire)

    def _expire(self) -> None:
        self._watching = False
        self._look()


# -- Private ids: what a client has to know to come back as who it was.

MAX_LENGTH = 200
"""Characters of a pid; ours are shorter, and nobody else's is read."""


class Pid(NamedTuple):
    """Who it was."""

    sid: str
    """The socket's id."""
    start: Offset
    """The first event that was meant for it."""


class Pids:
    """Signs and reads the pids of `namespace`; `key()` is asked for when it is needed."""

    def __init__(self, key: Callable[[], bytes], namespace: str) -> None:
        self._key = key
        self._namespace = namespace

    def sign(self, pid: Pid) -> str:
        """The text of `pid`."""
        text = f"{pid.sid}.{pid.start}"
        return f"{text}.{self._signature(text)}"

    def read(self, text: str) -> Pid | None:
        """The pid with this text; None: it was never signed here, or is of another namespace."""
        if len(text) > MAX_LENGTH or not text.isascii():
            return None
        said, _, signature = text.rpartition(".")
        if not hmac.compare_digest(self._signature(said), signature):
            return None
        sid, _, start = said.rpartition(".")
        place = Offset.parse(start)
        return None if place is None else Pid(sid, place)

    def _signature(self, text: str) -> str:
        said = f"{self._namespace} {text}".encode()
        return urlsafe_b64encode(hmac.digest(self._key(), said, "sha256")[:18]).decode()


# -- The recovery form: events with their offset as last argument, for who asked for it.


class WithOffset(Form):
    """Another form, of events with their offset spliced in: nothing is re-encoded.

    An event with an ack id carries none, since it is not replayed twice by clients.
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
    text, *attachments = record.packets
    offset = str(Offset(record.epoch, record.position)).encode()
    spliced = text.data.rstrip()[:-1] + b',"%b"]' % offset
    return Record(Packet(spliced), *attachments)
