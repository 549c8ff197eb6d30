"""Who comes into a namespace, and as whom: a new client, or one that was here before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gateway.relay.auth import OURS, misspelt
from gateway.relay.recovery import recovery_request
from gateway.relay.session_outbox import SessionOutbox
from gateway.relay.subscription import Subscription
from gateway.socketio.errors import ConnectionRefused

if TYPE_CHECKING:
    from gateway.engineio.deadlines import Deadlines
    from gateway.relay.continuity import Continuity
    from gateway.relay.journal import Journal
    from gateway.relay.late_joiners import LateJoiners
    from gateway.relay.log import Log
    from gateway.relay.observer import Observer
    from gateway.relay.recovery import Recovery
    from gateway.socketio.socket import Socket


SOON: Final = 0.05
"""Seconds until the log is looked at again for one that comes from a gateway which was faster."""
TRIES: Final = 40


class Entrance:
    """Answers CONNECT; who is accepted is put into `members`."""

    def __init__(  # noqa: PLR0917 - the parts of a hub
        self,
        journal: Journal,
        log: Log,
        members: dict[Socket, Subscription],
        deadlines: Deadlines,
        observer: Observer,
        recovery: Recovery,
        late_joiners: LateJoiners,
        continuity: Continuity,
    ) -> None:
        self._journal = journal
        self._log = log
        self._members = members
        self._deadlines = deadlines
        self._observer = observer
        self._recovery = recovery
        self._late_joiners = late_joiners
        self._continuity = continuity

    def connect(self, socket: Socket, auth: dict[str, Any], tries: int = 0) -> None:
        """Accept `socket`; with `auth: {recover: true}` as the client that it was, if possible.

        After the CONNECT reply and before new events a client that is back gets what it missed,
        and a new one its snapshot.  A log that is still being read keeps everybody waiting, and
        for a while who comes from a gateway that was faster to read it; `tries` is how often.
        Raises `ConnectionRefused` for clients that may not come in, and for filters and keys of
        `auth` that make no sense.
        """
        if self._journal.wait is not None:
            self._journal.wait(partial(self._connect_late, socket, auth))
            return
        wanted = recovery_request(auth)
        if wanted is not None and tries < TRIES and self._recovery.awaits(wanted):
            self._deadlines.call_later(SOON, partial(self._connect_late, socket, auth, tries + 1))
            return
        try:
            may_publish = self._observer.admit(socket.session, auth)
        except ConnectionRefused as refused:
            if not refused.delay:
                raise
            self._deadlines.call_later(refused.delay, partial(socket.refuse, refused))
            return
        slip = misspelt(auth)
        if slip is not None:
            raise ConnectionRefused("auth has no key {!r}: write {!r}".format(*slip))
        selection = self._late_joiners.selection(auth)
        back = self._recovery.find(wanted, selection) if wanted is not None else None
        outbox = socket.session.outbox
        assert isinstance(outbox, SessionOutbox)
        subscription = Subscription(socket, self._log, outbox)
        if back is not None:
            subscription.resume(back)
        else:
            subscription.sid = socket.sid
            subscription.selection = subscription.asked = selection
        subscription.may_publish = may_publish
        subscription.knows_us = not OURS.isdisjoint(auth)
        self._late_joiners.ask(subscription, auth)
        self._members[socket] = subscription
        told = {} if wanted is None else {"pid": self._recovery.register(subscription)}
        socket.outbox = subscription
        socket.accept(sid=subscription.sid, **told)
        if back is not None:
            subscription.read_from(back.cursor, back.since)
        # Asked while the process lives: nobody could tell later whether it was the worker.
        if not self._observer.is_worker(subscription) and back is None:
            self._late_joiners.greet(subscription)
        self._continuity.client(subscription)

    def _connect_late(self, socket: Socket, auth: dict[str, Any], tries: int = 0) -> None:
        """Accept or refuse a client that had to wait for the log."""
        if socket.asks:
            try:
                self.connect(socket, auth, tries)
            except ConnectionRefused as refused:
                socket.refuse(refused)
