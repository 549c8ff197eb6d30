"""Acknowledgments through the relay: the first receiver that says something answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import attrs

from gateway.engineio.packet import Packet as EnginePacket
from gateway.engineio.record import Record
from gateway.socketio.packet import PacketType, header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gateway.engineio.deadlines import Deadline, Deadlines
    from gateway.relay.subscription import Subscription
    from gateway.socketio.packet import Packet

PENDING = 256
"""Unanswered events that one sender may have; the oldest is forgotten for a newer one."""


class About(NamedTuple):
    """What a question was about, and where it stands in the log: so who was asked."""

    position: int
    name: str | float
    code: str | None
    trusted: bool
    aliases: frozenset[str]


@attrs.define(eq=False)
class _Question:
    sender: Subscription
    id: int
    """The sender's own acknowledgment id."""
    about: About
    silent: int
    """Receivers that neither answered nor left."""
    expires: float
    empty: set[Subscription] = attrs.Factory(set)
    """Receivers that answered without a word: python-socketio does without a handler."""


class Acks:
    """The questions of one namespace, by the ack id that receivers see.

    To answer is to publish: `may_answer(receiver)` says who may.  Others were not asked,
    though they saw the question, and neither was anybody whose filter left it out.
    A first answer that is not empty goes to the sender as it is; an empty one only when
    everybody was empty; with no answer nothing is said, and the sender's own timeout
    decides.
    """

    def __init__(
        self,
        ids: Iterator[int],
        deadlines: Deadlines,
        timeout: float,
        may_answer: Callable[[Subscription], bool],
    ) -> None:
        self._ids = ids
        self._may_answer = may_answer
        self._deadlines = deadlines
        self._timeout = timeout
        self._questions: dict[int, _Question] = {}  # the oldest first
        self._sweep: Deadline | None = None
        self._asked: dict[Subscription, dict[int, None]] = {}

    def __len__(self) -> int:
        return len(self._questions)

    def ask(
        self, sender: Subscription, id: int, about: About, members: Iterable[Subscription]
    ) -> int:
        """Expect an answer of any of `members`; returns the ack id to send the event with."""
        ours = next(self._ids)
        mine = self._asked.setdefault(sender, {})
        if len(mine) >= PENDING:
            self._forget(next(iter(mine)))
        mine[ours] = None
        expires = self._deadlines.clock() + self._timeout
        question = self._questions[ours] = _Question(sender, id, about, 0, expires)
        question.silent = sum(self._was_asked(each, question) for each in members)
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
        if packet.value:
            self._settle(packet.id, question, packet)
            return
        question.empty.add(receiver)
        self._one_less(packet.id, question)

    def gone(self, subscription: Subscription) -> None:
        """`subscription` asks and answers no more."""
        for ours in list(self._asked.get(subscription, ())):
            self._forget(ours)
        if not self._may_answer(subscription):
            return
        for ours, question in list(self._questions.items()):
            if subscription not in question.empty and self._was_asked(subscription, question):
                self._one_less(ours, question)

    def _one_less(self, ours: int, question: _Question) -> None:
        question.silent -= 1
        if question.silent == 0 and question.empty:
            self._settle(ours, question, None)

    def _settle(self, ours: int, question: _Question, packet: Packet | None) -> None:
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
        mine = self._asked[question.sender]
        del mine[ours]
        if not mine:
            del self._asked[question.sender]

    def _was_asked(self, receiver: Subscription, question: _Question) -> bool:
        return (
            receiver is not question.sender
            and receiver.was_for(question.about)
            and self._may_answer(receiver)
        )
