"""Whatever a client does with its transports, no message is lost or doubled."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.errors import EngineError
from gateway.engineio.packet import MESSAGE, Packet
from gateway.engineio.payload import decode4
from tests.engineio.world import DROPPED, FakePoll, FakeSocket, World, binary, text
from tests.untraced import untraced


class Client(RuleBasedStateMachine):
    """One session at a time; the client answers pings, and overlaps, aborts and upgrades."""

    @initialize()
    def open(self) -> None:
        self.world = World()
        self.sid = self.world.polling()
        self.said: list[Packet] = []
        self.got: list[Packet] = []
        self.told: list[Packet] = []
        self.poll: FakePoll | None = None
        self.socket: FakeSocket | None = None
        self.read = 0
        self.upgraded = False
        self.closing = self.farewell = False

    # -- what the client can see ------------------------------------------------------

    @property
    def alive(self) -> bool:
        return self.world.session.is_open

    def look(self) -> None:
        """Take in what came, and answer a ping."""
        packets = []
        if self.poll is not None and self.poll.payload is not None:
            packets += decode4(self.poll.payload)
            self.poll = None
        if self.socket is not None:
            packets += self.socket.packets[self.read :]
            self.read = len(self.socket.packets)
        self.got += [packet for packet in packets if packet.type == MESSAGE]
        self.farewell = self.farewell or text("1") in packets
        if text("2") in packets and self.alive:
            self.tell_all([text("3")])

    def tell_all(self, packets: list[Packet]) -> None:
        if self.upgraded:
            assert self.socket is not None
            for data, is_binary in packets:
                say = self.socket.channel.binary if is_binary else self.socket.channel.text
                say(data)
        else:
            self.world.post(self.sid, b"\x1e".join([data for data, _ in packets]))

    def say_number(self) -> Packet:
        packet = text(f"4{len(self.said)}")
        self.said.append(packet)
        return packet

    # -- both sides talk --------------------------------------------------------------

    @precondition(lambda self: self.alive)
    @rule(attachments=st.integers(0, 2))
    def server_says(self, attachments: int) -> None:
        packets = [self.say_number()]
        packets += [binary(b"%d" % len(self.said)) for _ in range(attachments)]
        self.said += packets[1:]
        self.world.session.send(*packets)

    @precondition(lambda self: self.alive)
    @rule(count=st.integers(1, 20))
    def client_says(self, count: int) -> None:
        packets = [text(f"4{len(self.told) + index}") for index in range(count)]
        self.told += packets
        self.tell_all(packets)

    @rule(seconds=st.floats(0, 12))
    def time_passes(self, seconds: float) -> None:
        self.world.wait(seconds)

    # -- polling ----------------------------------------------------------------------

    @precondition(lambda self: self.alive and not self.upgraded and self.poll is None)
    @rule()
    def get(self) -> None:
        self.poll = self.world.get(sid=self.sid)

    @precondition(lambda self: self.alive and not self.upgraded and self.poll is not None)
    @rule()
    def overlap(self) -> None:
        try:
            self.world.get(sid=self.sid)
        except EngineError:
            assert not self.alive
        else:
            raise AssertionError("a second GET is refused")

    @precondition(lambda self: self.alive and self.poll is not None)
    @rule()
    def abort_get(self) -> None:
        self.world.abandon(self.sid)
        self.poll = None
        assert not self.alive

    # -- upgrading --------------------------------------------------------------------

    @precondition(lambda self: self.alive and self.socket is None)
    @rule(full=st.booleans())
    def probe(self, full: bool) -> None:
        self.socket = self.world.websocket(sid=self.sid)
        self.socket.full = full
        self.read = 0
        self.socket.channel.text(b"2probe")
        assert self.poll is None or self.poll.payload is not None

    @precondition(lambda self: self.alive and self.probing)
    @rule()
    def upgrade(self) -> None:
        assert self.socket is not None
        self.socket.channel.text(b"5")
        self.upgraded = True
        assert self.poll is None or self.poll.payload is not None

    @precondition(lambda self: self.alive and self.probing)
    @rule(word=st.sampled_from([b"2probe", b"4x", b"abc", None]))
    def spoil_the_upgrade(self, word: bytes | None) -> None:
        assert self.socket is not None
        if word is None:
            self.socket.channel.lost()
        else:
            self.socket.channel.text(word)
            assert self.socket.closed == DROPPED
        self.look()
        self.socket = None
        assert self.alive

    @property
    def probing(self) -> bool:
        return self.socket is not None and self.socket.closed is None and not self.upgraded

    @precondition(lambda self: self.socket is not None and self.socket.closed is None)
    @rule(full=st.booleans())
    def room(self, full: bool) -> None:
        assert self.socket is not None
        self.socket.full = full
        self.socket.channel.room()

    # -- the end ----------------------------------------------------------------------

    @precondition(lambda self: self.alive)
    @rule()
    def server_closes(self) -> None:
        self.world.session.close()
        self.closing = True

    @precondition(lambda self: self.alive)
    @rule()
    def client_closes(self) -> None:
        self.tell_all([text("1")])
        assert not self.alive

    @precondition(lambda self: not self.alive)
    @rule()
    def start_again(self) -> None:
        self.drain()
        self.open()

    @invariant()
    def nothing_is_doubled_or_out_of_order(self) -> None:
        if not hasattr(self, "world"):
            return
        self.look()
        if self.socket is not None and self.socket.closed is not None and not self.upgraded:
            self.socket = None  # the probe's time was over
        assert self.got == self.said[: len(self.got)]
        assert self.world.connection.heard == self.told

    def drain(self) -> None:
        """Read everything there is; of a session that was not cut off, nothing is missing."""
        while self.sid in self.world.server.sessions:
            before = len(self.got)
            if self.upgraded:
                assert self.socket is not None
                self.socket.full = False
                self.socket.channel.room()
            elif self.poll is None:
                self.poll = self.world.get(sid=self.sid)
            self.look()
            if len(self.got) == before:
                break
        if self.alive or (self.closing and self.farewell):
            assert self.got == self.said

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.drain()


class NothingLostTests(SynchronousTestCase):
    @untraced
    def test_over_polls_overlaps_aborts_and_upgrades(self) -> None:
        case = Client.TestCase
        case.settings = settings(deadline=None, max_examples=120, stateful_step_count=40)
        case("runTest").runTest()
