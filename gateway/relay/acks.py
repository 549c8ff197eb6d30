"""Acknowledgments through the relay: the first receiver that says something answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import attrs

from gateway.engineio.packet import Packet as EnginePacket
from gateway.engineio.packet import Record
from gateway.socketio.packet import PacketType, header

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from gateway.engineio.deadlines import Deadline, Deadlines
    from gateway.relay.subscription import Subscription
    from gateway.socketio.packet import Packet

PENDING = 256
"""Unanswered events that one sender may have; the oldest is forgotten for a newer one."""

OPEN = 4096
"""The same of all senders together; then the oldest goes of who has the most."""


class QuestionContext(NamedTuple):
    """What a question was about, and where it stands in the log: so who was asked."""

    position: int
    name: str | float
    code: str | None
    trusted: bool
    aliases: frozenset[str]


@attrs.define(eq=False)
class _OpenQuestion:
    sender: Subscription
    id: int
    """The sender's own acknowledgment id."""
    about: QuestionContext
    expires: float
    empty: set[Subscription] = attrs.Factory(set)
    """Receivers that answered without a word: python-socketio does without a handler."""
    awaited: Subscription | None = None
    """After an empty answer: one of those that were asked and have said nothing yet."""


class Acks:
    """The questions of one namespace, by the ack id that receivers see.

    To answer is to publish: `may_answer(receiver)` says who of `members` may.  Others were
    not asked, though they saw the question, and neither was anybody whose filter left it out.
    A first answer that is not empty goes to the sender as it is; an empty one only when
    everybody was empty; with no answer nothing is said, and the sender's own timeout
    decides.

    Whether everybody was empty is looked at only when it may have changed: a question with an
    empty answer waits for one silent receiver, and when that one answers or leaves, for the
    next.  So it costs nothing to leave but what one was waited for.
    """

    def __init__(
        self,
        ids: Iterator[int],
        members: Collection[Subscription],
        deadlines: Deadlines,
        timeout: float,
        may_answer: Callable[[Subscription], bool],
    ) -> None:
        self._ids = ids
        self._members = members
        self._may_answer = may_answer
        self._deadlines = deadlines
        self._timeout = timeout
        self._questions: dict[int, _OpenQuestion] = {}  # the oldest first
        self._sweep: Deadline | None = None
        self._asked: dict[Subscription, dict[int, None]] = {}
        self._awaited: dict[Subscription, dict[int, _OpenQuestion]] = {}

    def __len__(self) -> int:
        return len(self._questions)

    def ask(self, sender: Subscription, id: int, about: QuestionContext) -> int:
        """Expect an answer; returns the ack id to send the event with."""
        ours = next(self._ids)
        if len(self._asked.get(sender, ())) >= PENDING:
            self._forget(next(iter(self._asked[sender])))
        elif len(self._questions) >= OPEN:
            most = max(self._asked, key=lambda asker: len(self._asked[asker]))
            self._forget(next(iter(self._asked[most])))
        self._asked.setdefault(sender, {})[ours] = None
        expires = self._deadlines.clock() + self._timeout
        self._questions[ours] = _OpenQuestion(sender, id, about, expires)
        if self._sweep is None:
            self._sweep = self._deadlines.call_later(self._timeout, self._expire)
        return ours

    def answer(self, receiver: Subscription, packet: Packet) -> None:
        """Take an ACK of `receiver`; an id that nobody asked with is ignored."""
        assert packet.id is not None
        question = self._questions.get(packet.id)
        if (
            question is None
            or receiver in question.empty
            or not self._was_asked(receiver, question)
        ):
            return
        if packet.brief:
            self._settle(packet.id, question, packet)
            return
        question.empty.add(receiver)
        if question.awaited is None or question.awaited is receiver:
            self._await_next(packet.id, question)

    def gone(self, subscription: Subscription) -> None:
        """`subscription` asks and answers no more."""
        for ours in list(self._asked.get(subscription, ())):
            self._forget(ours)
        for ours, question in list(self._awaited.get(subscription, {}).items()):
            self._await_next(ours, question)

    def _await_next(self, ours: int, question: _OpenQuestion) -> None:
        """Wait for another receiver that is silent; when there is none, the answer is empty."""
        before = question.awaited
        self._await(ours, question, None)
        for each in self._members:
            if (
                each is not before
                and each not in question.empty
                and self._was_asked(each, question)
            ):
                self._await(ours, question, each)
                return
        self._settle(ours, question, None)

    def _await(self, ours: int, question: _OpenQuestion, receiver: Subscription | None) -> None:
        if question.awaited is not None:
            waiting = self._awaited[question.awaited]
            del waiting[ours]
            if not waiting:
                del self._awaited[question.awaited]
        question.awaited = receiver
        if receiver is not None:
            self._awaited.setdefault(receiver, {})[ours] = question

    def _settle(self, ours: int, question: _OpenQuestion, packet: Packet | None) -> None:
        self._forget(ours)
        namespace = question.sender.socket.namespace
        attachments = packet.attachments if packet is not None else ()
        type = PacketType.BINARY_ACK if attachments else PacketType.ACK
        text = header(type, namespace, question.id, len(attachments))
        text += packet.payload if packet is not None else b"[]"
        question.sender.send(Record(EnginePacket(text), *attachments))

    def _expire(self) -> None:
        """Forget what nobody answered; one deadline serves all, whatever their number."""
        now = self._deadlines.clock()
        self._sweep = None
        for ours, question in list(self._questions.items()):
            if question.expires > now:
                left = question.expires - now
                self._sweep = self._deadlines.call_later(left, self._expire)
                break
            self._forget(ours)

    def _forget(self, ours: int) -> None:
        question = self._questions.pop(ours)
        self._await(ours, question, None)
        mine = self._asked[question.sender]
        del mine[ours]
        if not mine:
            del self._asked[question.sender]

    def _was_asked(self, receiver: Subscription, question: _OpenQuestion) -> bool:
        return (
            receiver is not question.sender
            and receiver.was_for(question.about)
            and self._may_answer(receiver)
        )
