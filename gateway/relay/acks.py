"""Acknowledgments through the relay: the sender gets the first answer that has an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import attrs

from gateway.engineio.packet import Packet as EnginePacket
from gateway.engineio.packet import Record
from gateway.relay.subscription import Subscription
from gateway.socketio.packet import PacketType, header

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from gateway.engineio.deadlines import Deadline, Deadlines
    from gateway.relay.event import Question, Sender
    from gateway.socketio.packet import Packet

PENDING = 256
"""Unanswered events that one sender may have; the oldest is forgotten for a newer one."""

OPEN = 4096
"""Unanswered events of all senders together; then the sender with the most loses its oldest."""


class QuestionContext(NamedTuple):
    """What a question is about and its place in the log, which tell which clients were asked."""

    position: int
    name: str | float
    code: str | None
    trusted: bool
    aliases: frozenset[str]


class Wider(Protocol):
    """A question that clients of several gateways are asked."""

    def answered(self, packet: Packet | None) -> None:
        """Take the first answer of a client here; None: all of them sent an empty one."""
        ...

    def unasked(self) -> None:
        """No client here was asked."""
        ...


@attrs.define(eq=False)
class _OpenQuestion:
    question: Question
    about: QuestionContext
    expires: float
    empty: set[Subscription] = attrs.Factory(set)
    """Receivers whose answer had no argument: python-socketio sends one if it has no handler."""
    awaited: Subscription | None = None
    """After an empty answer: one of the clients that were asked and have not answered yet."""


class Acks:
    """The questions of one namespace, by the ack id that receivers see.

    An answer is published, so only those of `members` count for which `may_answer(receiver)` is
    true, and whose filter let the question through.  The first answer that has an argument goes
    to the sender as it is.  An empty answer goes to it only when all receivers sent one.  When
    nobody answers, nothing is sent: the sender's own timeout decides.

    A question with an empty answer waits for one receiver that has not answered.  When that one
    answers or leaves, it waits for the next.  So a client that leaves costs only the questions
    that wait for it.
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
        self._asked: dict[Sender, dict[int, None]] = {}
        self._awaited: dict[Subscription, dict[int, _OpenQuestion]] = {}

    def __len__(self) -> int:
        return len(self._questions)

    def ask(self, question: Question, about: QuestionContext) -> int:
        """Expect an answer to `question`.  Returns the id to send it with."""
        ours, sender = next(self._ids), question.sender
        if len(self._asked.get(sender, ())) >= PENDING:
            self._forget(next(iter(self._asked[sender])))
        elif len(self._questions) >= OPEN:
            most = max(self._asked, key=lambda asker: len(self._asked[asker]))
            self._forget(next(iter(self._asked[most])))
        self._asked.setdefault(sender, {})[ours] = None
        expires = self._deadlines.clock() + self._timeout
        self._questions[ours] = made = _OpenQuestion(question, about, expires)
        if self._sweep is None:
            self._sweep = self._deadlines.call_later(self._timeout, self._expire)
        if question.wider is not None and not any(
            self._was_asked(each, made) for each in self._members
        ):
            self._forget(ours)
            question.wider.unasked()
        return ours

    def answer(self, receiver: Subscription, packet: Packet) -> None:
        """Take an ACK of `receiver`; one with an unknown id is ignored."""
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
        """Forget the questions of `subscription`, and wait for it no longer."""
        if subscription in self._asked:
            for ours in list(self._asked[subscription]):
                self._forget(ours)
        if subscription in self._awaited:
            for ours, question in list(self._awaited[subscription].items()):
                self._await_next(ours, question)

    def _await_next(self, ours: int, question: _OpenQuestion) -> None:
        """Wait for another receiver without an answer; if there is none, send an empty answer."""
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
        if question.question.wider is not None:
            question.question.wider.answered(packet)
        elif packet is None:
            reply(question.question, b"[]")
        else:
            reply(question.question, packet.payload, packet.attachments)

    def _expire(self) -> None:
        """Forget questions that are too old; one deadline serves all of them."""
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
        sender = question.question.sender
        mine = self._asked[sender]
        del mine[ours]
        if not mine:
            del self._asked[sender]

    def _was_asked(self, receiver: Subscription, question: _OpenQuestion) -> bool:
        return (
            receiver is not question.question.sender
            and receiver.was_for(question.about)
            and self._may_answer(receiver)
        )


def reply(question: Question, payload: bytes, attachments: Sequence[EnginePacket] = ()) -> None:
    """Send the answer with this payload to the client that asked."""
    sender = question.sender
    assert isinstance(sender, Subscription)
    type = PacketType.BINARY_ACK if attachments else PacketType.ACK
    text = header(type, sender.socket.namespace, question.id, len(attachments)) + payload
    sender.send(Record(EnginePacket(text), *attachments))
