"""Acknowledgments over gateways: the asker gets the first answer that has an argument.

    the asker's gateway   gives the event a number -> the log -> every gateway asks its own clients
    the others            what came of it there -> mail -> the asker's gateway

The asker's gateway waits for the members that there were when it was asked; one that is gone since
counts as one without clients.  An empty answer is given when all have said what came of it, and
it was empty somewhere.  Who says nothing in time leaves it to the asker's own timeout.  A gateway
that has just started does not know the others yet: so it gives answers, but no empty one.
"""

from __future__ import annotations

from secrets import randbelow
from typing import TYPE_CHECKING, Final

import msgspec

from gateway.engineio.packet import Packet as EnginePacket
from gateway.relay.acks import reply
from gateway.relay.event import Question, Sender
from gateway.relay.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.cluster.site import Site
    from gateway.socketio.packet import Packet

KIND: Final = "answer "
"""With this the kind of the letters begins; the namespace follows."""
UNASKED, EMPTY, ANSWERED = range(3)
NOBODY_KNOWS: Final = ""
"""Stands for gateways that are not known yet: an answer of theirs counts, and that there is none
is not known of them."""
MOST: Final = 4096
"""Questions from here that are waited for; the oldest is forgotten for a newer one."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class Answers:
    """What came of the questions of one namespace, here and at the other gateways."""

    def __init__(self, namespace: str, site: Site) -> None:
        self._kind = KIND + namespace
        self._site = site
        self._number = randbelow(1 << 48)  # no answer to the process before is for one of ours
        self._open: dict[int, _Gathered] = {}
        self._askers: dict[str, Sender] = {}
        """By gateway: its clients have together what one client may have, and take it from nobody
        else."""

    def start(self) -> None:
        """Begin to hear what others say."""
        if self._site.mail is not None:
            self._site.mail.handlers[self._kind] = self._received
        if self._site.members is not None:
            self._site.members.on_gone.append(self._gone)

    def gather(self, question: Question) -> int:
        """Have what comes of `question`, of a client here, gathered; returns its number."""
        self._number += 1
        if len(self._open) >= MOST:
            del self._open[next(iter(self._open))]
        members = self._site.members
        waits = {self._site.gateway, *(members.present() if members is not None else ())}
        if members is not None and not members.is_settled:
            waits.add(NOBODY_KNOWS)
        made = _Gathered(self, question, self._number, waits)
        question.wider = self._open[self._number] = made
        return self._number

    def far(self, gateway: str, number: int) -> Question:
        """The question `number` of a client of `gateway`."""
        asker = self._askers.setdefault(gateway, Sender())
        return Question(asker, 0, _Far(self, gateway, number))

    def here(self, number: int, outcome: int) -> None:
        """A question from here had this outcome here, but for an answer."""
        if number in self._open:
            self._open[number].done(self._site.gateway, outcome)

    def close(self, number: int) -> None:
        """Wait for it no more."""
        self._open.pop(number, None)

    def tell(self, gateway: str, number: int, outcome: int, packet: Packet | None = None) -> None:
        """Tell `gateway` what came here of its question."""
        payload = b"" if packet is None else packet.payload
        attached = [] if packet is None else [each.data for each in packet.attachments]
        if self._site.mail is not None:
            body = _encode([number, outcome, payload, attached])
            self._site.mail.post(gateway, self._kind, body)

    def _received(self, origin: str, body: bytes) -> None:
        number, outcome, payload, attached = _decode(body)
        gathered = self._open.get(number)
        if gathered is None:
            return
        if outcome == ANSWERED:
            gathered.give(payload, [EnginePacket(each, binary=True) for each in attached])
        else:
            gathered.done(origin, outcome)

    def _gone(self, gateway: str) -> None:
        for gathered in list(self._open.values()):
            gathered.done(gateway, UNASKED)


class _Gathered:
    """A question of a client here: the `Wider` of this gateway's own clients."""

    def __init__(self, answers: Answers, question: Question, number: int, waits: set[str]) -> None:
        self._answers = answers
        self._question = question
        self._number = number
        self._waits = waits
        self._is_empty = False

    def answered(self, packet: Packet | None) -> None:
        if packet is not None:
            self.give(packet.payload, packet.attachments)
        else:
            self._answers.here(self._number, EMPTY)

    def unasked(self) -> None:
        self._answers.here(self._number, UNASKED)

    def give(self, payload: bytes, attachments: Sequence[EnginePacket]) -> None:
        """Send this answer, unless there was one already."""
        if self._waits:
            self._waits.clear()
            self._answers.close(self._number)
            self._reply(payload, attachments)

    def done(self, gateway: str, outcome: int) -> None:
        """Nothing more comes from `gateway`."""
        if gateway not in self._waits:
            return
        self._is_empty |= outcome == EMPTY
        self._waits.remove(gateway)
        if not self._waits:
            self._answers.close(self._number)
            if self._is_empty:
                self._reply(b"[]")

    def _reply(self, payload: bytes, attachments: Sequence[EnginePacket] = ()) -> None:
        sender = self._question.sender
        if isinstance(sender, Subscription) and sender.socket.connected:  # else nobody waits
            reply(self._question, payload, attachments)


class _Far:
    """A question of a client of `gateway`: what comes of it here is told there."""

    def __init__(self, answers: Answers, gateway: str, number: int) -> None:
        self._answers = answers
        self._gateway = gateway
        self._number = number

    def answered(self, packet: Packet | None) -> None:
        outcome = EMPTY if packet is None else ANSWERED
        self._answers.tell(self._gateway, self._number, outcome, packet)

    def unasked(self) -> None:
        self._answers.tell(self._gateway, self._number, UNASKED)
