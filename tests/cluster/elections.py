"""A cluster in memory: clocks, a server that can forget, and what is on its way between them."""

from __future__ import annotations

from attrs import define, evolve

from gateway.cluster.election import Election, Record, Request
from gateway.cluster.terms import Terms

LEASE = 45.0


def write(before: Record | None, request: Request) -> Record | None:
    """What the server's record becomes."""
    new, expected = request.new, request.expected
    if new is None:
        return before
    if not request.renews:
        return new if before == expected else before
    ours = before is not None and (before.holder, before.token) == (expected.holder, expected.token)
    return new if ours and before.beat < new.beat else before


@define(eq=False)
class Message:
    """A request on its way, or the answer to one."""

    sender: Gateway
    life: int
    """The connection of the sender on which it is."""
    request: Request
    is_done: bool = False
    answer: Record | None = None


class Server:
    """Has the record; all that it ever had may come back."""

    def __init__(self) -> None:
        self.record: Record | None = None
        self.run = "run-0"
        self.history: list[Record | None] = [None]

    def do(self, message: Message) -> None:
        self.record = write(self.record, message.request)
        self.history.append(self.record)
        message.is_done, message.answer = True, self.record

    def restart(self, back: int) -> None:
        """It comes back with what it had `back` changes ago; 0: it has lost nothing."""
        self.record = self.history[max(0, len(self.history) - 1 - back)]
        self.run = f"run-{int(self.run[4:]) + 1}"


class Gateway:
    """A machine with a clock of its own, a process with its election, and a guardian.

    Its worker lives until the guardian kills it, at the last moment; only one that is asked to end
    before a release is gone before.
    """

    def __init__(self, name: str, cluster: Cluster, rate: float = 1.0, offset: float = 0.0) -> None:
        self.name = name
        self.cluster = cluster
        self.terms = cluster.terms
        self.rate = rate
        self.offset = offset
        self.connected = True
        self.life = 0
        self.processes = 0
        self.worker_until = 0.0
        """When the guardian kills the worker, by the clock of this machine."""
        self.begin()

    def begin(self) -> None:
        """A process starts."""
        self.processes += 1
        me = f"{self.name}.{self.processes}"
        self.election = Election(me, self.terms, self.clock, self.heed)

    def clock(self) -> float:
        return self.offset + self.rate * self.cluster.now

    def heed(self) -> None:
        self.worker_until = max(self.worker_until, self.election.until or 0.0)
        self.cluster.look()

    @property
    def has_worker(self) -> bool:
        return self.clock() < self.worker_until

    def ask(self) -> Message | None:
        """Send what is to be asked now."""
        request = self.election.request(self.cluster.server.run) if self.connected else None
        return None if request is None else self.cluster.send(self, request)

    def cut(self) -> None:
        """The connection is gone.  What was sent may still arrive; no answer does."""
        self.connected = False
        self.life += 1
        self.election.unanswered()

    def kill_and_adopt(self) -> None:
        """kill -9; the next process takes the worker over, if it lives."""
        own, until = self.election.record, self.election.until
        self.cut()
        self.begin()
        self.connected = True
        if until is not None and own is not None and self.has_worker:
            self.election.resume(own, self.worker_until)

    def stop(self) -> None:
        """The worker ends, then the lease is released; then another process starts."""
        self.worker_until = 0.0
        request = self.election.release(self.cluster.server.run)
        if request is not None and self.connected:
            self.cluster.send(self, request)
        self.begin()


class Cluster:
    """Some gateways and their server; `now` is the true time in seconds."""

    def __init__(self, *rates: float, lease: float = LEASE) -> None:
        self.now = 1000.0
        self.terms = Terms(lease)
        self.server = Server()
        self.under_way: list[Message] = []
        self.most = 0
        self.gateways: list[Gateway] = []
        for number, rate in enumerate(rates or (1.0, 1.0)):
            gateway = Gateway("abc"[number], self, rate, offset=7777.0 * number)
            self.gateways.append(gateway)

    def look(self) -> None:
        """Note how many workers there are."""
        self.most = max(self.most, sum(each.has_worker for each in self.gateways))

    def send(self, sender: Gateway, request: Request) -> Message:
        message = Message(sender, sender.life, request)
        self.under_way.append(message)
        return message

    def arrive(self, message: Message, *, again: bool = False) -> None:
        """A request gets to the server; `again`: a copy of it stays on its way."""
        if message.request.run == self.server.run:
            if again:
                self.under_way.append(evolve(message, life=-1))
            self.server.do(message)

    def answer(self, message: Message) -> None:
        """An answer gets back."""
        self.under_way.remove(message)
        sender = message.sender
        if message.life == sender.life:
            if message.request.run == self.server.run:
                sender.election.answered(message.request, message.answer)
            else:
                sender.election.unanswered()

    def round_trip(self, gateway: Gateway) -> None:
        message = gateway.ask()
        if message is not None:
            self.arrive(message)
            self.answer(message)

    def restart(self, back: int) -> None:
        """The server starts again: each connection breaks, and nothing of before arrives."""
        self.under_way = []
        self.server.restart(back)
        for gateway in self.gateways:
            gateway.cut()
            gateway.connected = True

    def run(self, seconds: float) -> None:
        """Time goes on; whoever is connected does what is due."""
        end = self.now + seconds
        while self.now < end:
            for gateway in self.gateways:
                gateway.election.heed_time()
                if gateway.clock() >= gateway.election.due:
                    self.round_trip(gateway)
            self.now = min(end, self.now + 0.25)
            self.look()

    @property
    def holders(self) -> list[str]:
        return [each.name for each in self.gateways if each.election.until is not None]
