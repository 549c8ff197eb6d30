"""One namespace of the relay: what one of its clients says goes to all the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from gateway.engineio.packet import Packet as EnginePacket
from gateway.relay.acks import Acks, QuestionContext
from gateway.relay.aliases import NONE
from gateway.relay.continuity import Continuity
from gateway.relay.entrance import Entrance
from gateway.relay.event import Event, Question, Subject
from gateway.relay.journal import DirectJournal
from gateway.relay.late_joiners import SUBSCRIBE, LateJoiners
from gateway.relay.log import Log
from gateway.relay.pids import Pids
from gateway.relay.recovery import Recovery
from gateway.relay.refusals import Refusals
from gateway.relay.services import Services
from gateway.relay.subscription import Subscription
from gateway.socketio.namespace import ack_ids
from gateway.socketio.packet import PacketType, header, whole
from gateway.socketio.socket import State

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from gateway.engineio.deadlines import Deadlines
    from gateway.relay.journal import Journal, Mark
    from gateway.relay.observer import Observer
    from gateway.relay.settings import RelaySettings
    from gateway.relay.turn import Turn
    from gateway.socketio.packet import Packet
    from gateway.socketio.socket import Socket

_CONNECTED = State.CONNECTED
_new = tuple.__new__  # half the cost of a named tuple's own constructor
APART = 2e-6
"""Seconds between events of one read, so that whoever sorts by their times has them in order."""


class Hub:
    """One namespace of the relay: its log, its members, its open questions.

    `wall` is the wall clock, in seconds since 1970.
    """

    def __init__(
        self,
        name: str,
        settings: RelaySettings,
        turn: Turn,
        deadlines: Deadlines,
        observer: Observer,
        *,
        wall: Callable[[], float],
        journal: Callable[[Hub], Journal] = DirectJournal,
    ) -> None:
        self.name = name
        self._journal = journal(self)
        self._append = self._journal.append
        self.log = Log(
            self._journal.epoch, max_bytes=settings.log_bytes, max_records=settings.log_records
        )
        self.members: dict[Socket, Subscription] = {}
        self.ack_ids: Iterator[int] = ack_ids()
        turn.logs.append(self.log)
        self._echo = settings.echo
        self._subject_of = settings.keys.of
        self._turn = turn
        self._observer = observer
        self._wall = wall
        self._acks = Acks(
            self.ack_ids,
            self.members.values(),
            deadlines,
            settings.ack_timeout,
            self._may_publish,
        )
        self._recovery = Recovery(
            self.log,
            Pids(settings.pid_key, name),
            deadlines,
            settings.recovery_time,
            self._journal.places,
        )
        self._late_joiners = LateJoiners(settings.snapshots)
        self.aliases = settings.aliases()
        self._listeners: dict[str | float, list[Callable[[Event], object]]] = {}
        if self.aliases.event is not None:
            self.listen(self.aliases.event, self._learn)
        self.continuity = Continuity(
            self._journal,
            self.log,
            self._late_joiners,
            self._recovery,
            self.aliases,
            self._learn,
            observer.owner,
        )
        self._entrance = Entrance(
            self._journal,
            self.log,
            self.members,
            deadlines,
            observer,
            self._recovery,
            self._late_joiners,
            self.continuity,
        )
        self.services = Services()
        self.refusals = Refusals()
        self.repaired = 0
        """Events in which something that is no JSON, such as NaN, became null."""

    # -- the namespace -----------------------------------------------------------------

    def connect(self, socket: Socket, auth: dict[str, Any]) -> None:
        """Accept `socket`, see `Entrance`.  Raises `ConnectionRefused`."""
        self._entrance.connect(socket, auth)

    def accepted(self, socket: Socket) -> None:
        """Nothing is left to do: `connect` did it."""

    def event(self, socket: Socket, packet: Packet) -> None:
        """Relay `packet` to everybody but `socket`."""
        sender = self.members[socket]
        subject = self._subject_of(packet.brief)
        if sender.knows_us:
            if subject.name == SUBSCRIBE and sender.selection is not None:
                self._late_joiners.change(sender, packet)
                self.continuity.changed(sender)
                return
            if subject.name in self.services.by_name:
                self.services.ask(sender, packet)
                return
        if not self._may_publish(sender):
            self.refusals.refuse(sender, packet)
            return
        if packet.repaired:
            self.repaired += 1
        if packet.id is not None or packet.expected:
            subject = Subject(subject.name, subject.code, None)
        wire, question = packet.wire, None
        if packet.id is not None:  # `enter` puts the head before it, with an id of ours
            wire = (EnginePacket(packet.payload), *wire[1:])
            question = Question(sender, packet.id)
        trusted = self._observer.trusts(sender)
        event = Event(
            wire,
            None if self._echo else sender,
            subject,
            trusted,
            self._wall(),
            not trusted or self._observer.is_current(sender),
            question,
        )
        self._take(sender, (event,), (packet.brief,))

    def events(self, socket: Socket, texts: list[bytes], values: list[list[Any]]) -> None:
        """Relay plain events that came in one read: what is equal for all of them is asked once.

        That is so for whether the sender's worker still runs, too: a process ends in no read.
        """
        sender = self.members[socket]
        if not self._may_publish(sender) or (sender.knows_us and self._has_ours(values)):
            for text, value in zip(texts, values, strict=True):
                if socket.state is _CONNECTED:
                    self.event(socket, whole(text, value))
            return
        subject_of, wall = self._subject_of, self._wall()
        receiver = None if self._echo else sender
        trusted = self._observer.trusts(sender)
        current = not trusted or self._observer.is_current(sender)
        events = []
        for text, value in zip(texts, values, strict=True):
            packets = (_new(EnginePacket, (text, False)),)
            events.append(Event(packets, receiver, subject_of(value), trusted, wall, current))
            wall += APART
        self._take(sender, events, values)

    def _has_ours(self, values: list[list[Any]]) -> bool:
        """Whether one of the events is for the gateway itself."""
        names = [value[0] for value in values]
        return SUBSCRIBE in names or not self.services.by_name.keys().isdisjoint(names)

    def _take(
        self, sender: Subscription, events: Sequence[Event], values: Sequence[list[Any]]
    ) -> None:
        """Relay `events`, at least one, and tell the observer."""
        self._append(events)
        self._observer.relayed(sender, events)
        if events[0].trusted:
            self._observer.heard(sender, events, values)

    def enter(self, events: Sequence[Event]) -> None:
        """Take `events` of one sender, at least one, into the log; only the journal calls it."""
        others, told_before = self.aliases.others, self.log.told_before
        for place, event in enumerate(events, self.log.head):
            if event.trusted:
                if event.name in self._listeners:
                    if place not in told_before:
                        for listener in self._listeners[event.name]:
                            listener(event)
                    elif event.name == self.aliases.event:
                        self._learn(event)  # the last one of the log counts, wherever it was said
                    others = self.aliases.others
                if event.key is not None:
                    self._late_joiners.see(event)
            if others:
                event.aliases = others.get(event.code, NONE)
            if event.question is not None:
                self._ask(event, event.question, place)
        self.log.extend(events)
        sender = events[0].sender
        self.log.speakers[sender if isinstance(sender, Subscription) else None] = None
        self._turn.schedule()

    def listen(self, name: str, listener: Callable[[Event], object]) -> None:
        """Have `listener` called once with each trusted event `name` that enters the log.

        Not again where the event gets another place (`Log.told_before`).  It must not raise, and
        costs events of other names nothing, as a tap would.
        """
        self._listeners.setdefault(name, []).append(listener)

    def _learn(self, event: Event) -> None:
        """Learn which codes name one thing, for events to come and for the snapshot."""
        _, start, payload = event.packets[0].data.partition(b"[")
        if self.aliases.learn(start + payload):
            self._late_joiners.rename(self.aliases)

    def ack(self, socket: Socket, packet: Packet) -> None:
        """Take a receiver's answer to another client's event."""
        self._acks.answer(self.members[socket], packet)

    def disconnected(self, socket: Socket, reason: str) -> None:
        """Forget `socket`, except for what it needs to come back."""
        subscription = self.members.pop(socket)
        self._acks.gone(subscription)
        self.services.gone(subscription)
        subscription.close()
        self._observer.left(subscription)
        if subscription.pid is not None:
            self._recovery.away(subscription, reason, self._observer.owner(socket.session))
            self.continuity.left(subscription, reason)

    # -- the gateway's own events ------------------------------------------------------

    def publish(self, name: str, value: dict[str, Any]) -> None:
        """Send the event `name` with the one argument `value` to all clients."""
        self._append([self.own_event(name, value)])

    def own_event(self, name: str, value: dict[str, Any]) -> Event:
        """An event of the gateway itself."""
        text = header(PacketType.EVENT, self.name) + orjson.dumps([name, value])
        subject = self._subject_of([name, value])
        return Event((EnginePacket(text),), None, subject, trusted=True, wall=self._wall())

    def newest(self, names: Collection[str]) -> list[Event]:
        """The newest event of each key, of those whose name is in `names`."""
        return [event for event in self._late_joiners.values() if event.name in names]

    def put_mark(self, mark: Mark) -> None:
        """Have the snapshot change as `mark` says, at its place among the events."""
        self._journal.mark(mark)

    def mark(self, mark: Mark) -> None:
        """Change the snapshot as `mark` says; only the journal calls it."""
        self._late_joiners.mark(mark)

    def _may_publish(self, member: Subscription) -> bool:
        return member.may_publish or self._observer.is_worker(member)

    def _ask(self, event: Event, question: Question, place: int) -> None:
        """Put the packet header, with an ack id of the hub's, before the event's payload.

        `place`: its position in the log.
        """
        payload, *attachments = event.packets
        about = QuestionContext(place, event.name, event.code, event.trusted, event.aliases)
        ours = self._acks.ask(question, about)
        type = PacketType.BINARY_EVENT if attachments else PacketType.EVENT
        head = header(type, self.name, ours, len(attachments))
        event.become(EnginePacket(head + payload.data), *attachments)
