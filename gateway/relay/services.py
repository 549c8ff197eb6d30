"""Questions to the gateway itself: events that it answers instead of relaying them.

    client -> 42ID["sjgateway:bars",{...}] -> Services.ask -> a service
    client <- 43ID[{...}]                  <- its answer, later

A service is a function of the gateway's; the relay does not know what it answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import orjson

from gateway.engineio.meter import BYTES
from gateway.engineio.packet import Packet as EnginePacket
from gateway.engineio.packet import Record
from gateway.socketio.packet import PacketType, header

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.relay.subscription import Subscription
    from gateway.socketio.packet import Packet

COST = 20
"""What a question costs of a client's rate besides the bytes of its answer."""
ONE_OBJECT = {"error": "send one object with what you ask for"}


class Service(Protocol):
    """Answers a question."""

    def __call__(
        self, question: dict[str, Any], client: Subscription, answer: Callable[[bytes], object], /
    ) -> Callable[[], object]:
        """Call `answer` with the answer as JSON, now or later.

        `client` is who asks.  Returns what cancels it: nobody waits any more.
        """
        ...


class Services:
    """The services of one namespace, and the questions that wait."""

    def __init__(self) -> None:
        self.by_name: dict[str | float, Service] = {}
        """By the name of the event."""
        self._waiting: dict[Subscription, set[WaitingQuestion]] = {}

    def ask(self, client: Subscription, packet: Packet) -> None:
        """Have the question in `packet` answered.  Without an acknowledgment nobody waits."""
        client.socket.session.meter.charge(COST)
        if packet.id is None:
            return
        name, *arguments = packet.brief
        waiting = WaitingQuestion(client, header(PacketType.ACK, packet.namespace, packet.id))
        if len(arguments) != 1 or not isinstance(arguments[0], dict):
            waiting.answer(orjson.dumps(ONE_OBJECT))
            return
        others = self._waiting.setdefault(client, set())
        others.add(waiting)
        waiting.answered = lambda: self._forget(client, waiting)
        cancel = self.by_name[name](arguments[0], client, waiting.answer)
        waiting.cancel = cancel

    def gone(self, client: Subscription) -> None:
        """A client has left: what it asked need not be answered."""
        for waiting in self._waiting.pop(client, ()):
            waiting.is_over = True
            waiting.cancel()

    def _forget(self, client: Subscription, waiting: WaitingQuestion) -> None:
        others = self._waiting.get(client, set())
        others.discard(waiting)
        if not others:
            self._waiting.pop(client, None)


class WaitingQuestion:
    """One question without an answer yet."""

    def __init__(self, client: Subscription, head: bytes) -> None:
        self._client = client
        self._head = head
        self.is_over = False
        self.answered: Callable[[], object] = _nothing
        self.cancel: Callable[[], object] = _nothing

    def answer(self, body: bytes) -> None:
        """Send the answer, once."""
        if self.is_over:
            return
        self.is_over = True
        self.answered()
        self._client.socket.session.meter.charge(len(body) / BYTES)
        self._client.send(Record(EnginePacket(b"%b[%b]" % (self._head, body))))


def _nothing() -> None:
    pass
