"""The relay rule: what one client of a namespace says goes to all the others."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import orjson

from gateway.engineio.packet import Packet as EnginePacket
from gateway.relay.acks import Acks
from gateway.relay.event import Event
from gateway.relay.keys import Subject
from gateway.relay.log import Log
from gateway.relay.outbox import SessionOutbox
from gateway.relay.recovery import Recovery, wish
from gateway.relay.refusals import Refusals
from gateway.relay.screen import SUBSCRIBE, Screens
from gateway.relay.subscription import Subscription
from gateway.socketio.packet import PacketType, header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.engineio.deadlines import Deadlines
    from gateway.relay.observer import Observer
    from gateway.relay.settings import Settings
    from gateway.relay.turn import Turn
    from gateway.socketio.packet import Packet
    from gateway.socketio.socket import Socket


class Hub:
    """One namespace of the relay: its log, its members, its open questions.

    `wall` is the wall clock, in seconds since 1970.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        turn: Turn,
        deadlines: Deadlines,
        observer: Observer,
        *,
        wall: Callable[[], float],
    ) -> None:
        self.name = name
        self.log = Log(max_bytes=settings.log_bytes, max_records=settings.log_records)
        self.members: dict[Socket, Subscription] = {}
        self.ack_ids: Iterator[int] = count()
        turn.logs.append(self.log)
        self._settings = settings
        self._turn = turn
        self._observer = observer
        self._wall = wall
        self._acks = Acks(self.ack_ids, deadlines, settings.ack_timeout)
        self._recovery = Recovery(self.log, deadlines, settings.recovery_time)
        self._screens = Screens(settings.snapshots)
        self.refusals = Refusals()
        self.repaired = 0
        """Events in which something that is no JSON, such as NaN, became null."""

    # -- the namespace -----------------------------------------------------------------

    def connect(self, socket: Socket, auth: dict[str, Any]) -> None:
        """Accept `socket`; with `auth: {recover: true}` as who it was before, if it can be.

        Who is new gets the snapshot that it asked for between its CONNECT reply and the
        events to come.  Raises `ConnectionRefused` for who may not come in, and for filters
        that make no sense.
        """
        may_publish = self._observer.admit(socket.session, auth)
        selection = self._screens.selection(auth)
        wanted = wish(auth)
        back = self._recovery.find(wanted) if wanted is not None else None
        outbox = socket.session.outbox
        assert isinstance(outbox, SessionOutbox)
        if back is not None:
            back.move(socket, outbox)
        subscription = back or Subscription(socket, self.log, outbox)
        if back is None or selection != back.asked:  # else as it may have changed it since
            subscription.selection = subscription.asked = selection
        subscription.may_publish = may_publish
        self.members[socket] = subscription
        socket.outbox = subscription
        if back is not None:
            socket.accept(sid=back.sid, pid=back.pid)
            return
        if wanted is not None:
            socket.accept(pid=self._recovery.register(subscription))
        else:
            socket.accept()
        subscription.sid = socket.sid
        self._screens.ask(subscription, auth)
        if self._screens.has_something and not self._observer.is_worker(subscription):
            self._screens.greet(subscription)

    def event(self, socket: Socket, packet: Packet) -> None:
        """Relay `packet` to everybody but `socket`."""
        sender = self.members[socket]
        subject = self._settings.keys.of(packet.value)
        if sender.selection is not None and subject.name == SUBSCRIBE:
            self._screens.change(sender, packet)
            return
        if not sender.may_publish and not self._observer.is_worker(sender):
            self.refusals.refuse(sender, packet)
            return
        if packet.repaired:
            self.repaired += 1
        if packet.id is not None or packet.expected:
            subject = Subject(subject.name, subject.code, None)
        event = Event(
            packet.wire,
            None if self._settings.echo else sender,
            subject,
            acked=packet.id is not None,
            trusted=self._observer.trusts(sender),
            wall=self._wall(),
        )
        if packet.id is not None:
            event.become(self._ask(sender, packet, event), *packet.wire[1:])
        self._append(event)
        sender.outbox.step_aside()
        self._observer.relayed(event)
        if event.trusted and self._observer.heard(sender, event, packet.value):
            self._screens.see(event)

    def ack(self, socket: Socket, packet: Packet) -> None:
        """Take a receiver's answer to an event of somebody else."""
        self._acks.answer(self.members[socket], packet)

    def disconnected(self, socket: Socket, reason: str) -> None:
        """Forget `socket`, but not what it may come back for."""
        subscription = self.members.pop(socket)
        self._acks.gone(subscription)
        subscription.close()
        self._observer.left(subscription)
        self._recovery.away(subscription, reason)

    # -- the gateway's own voice -------------------------------------------------------

    def publish(self, name: str, value: dict[str, Any]) -> None:
        """Tell everybody: an event with exactly one object argument."""
        text = header(PacketType.EVENT, self.name) + orjson.dumps([name, value])
        subject = self._settings.keys.of([name, value])
        event = Event(
            (EnginePacket(text),), None, subject, acked=False, trusted=True, wall=self._wall()
        )
        self._append(event)
        self._screens.see(event)

    def worker_gone(self) -> None:
        """Late joiners are told no more that the worker is ready."""
        self._screens.worker_gone()

    def _append(self, event: Event) -> None:
        self.log.append(event)
        self._turn.schedule()

    def _ask(self, sender: Subscription, packet: Packet, event: Event) -> EnginePacket:
        """The event's text packet with an ack id of ours."""
        assert packet.id is not None
        receivers = sum(
            each is not sender and (each.selection is None or each.selection.wants(event))
            for each in self.members.values()
        )
        ours = self._acks.ask(sender, packet.id, self.log.head, receivers)
        text = header(packet.type, self.name, ours, packet.expected)
        return EnginePacket(text + packet.payload)
