"""What comes in one read is heard as if each message had come in a read of its own."""

import re
from itertools import chain

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.fuzz.whole import Whole
from tests.untraced import untraced
from tests.web.peer import BINARY, REQUEST, frame

MESSAGES = (
    frame(b'42["tick",{"code":"A"}]'),
    frame(b'42["tick",{"code":"A","seq":1}]'),
    frame('42["價",1]'.encode()),
    frame(b"42[1]"),
    frame(b'42["x",NaN]'),
    frame(b'42["many",' + b"[" * 150 + b"]" * 150 + b"," + b"[]," * 60 + b"0]"),
    frame(b'427["question"]'),
    frame(b'451-["file",{"_placeholder":true,"num":0}]'),
    frame(b"bytes", BINARY),
    frame(b'42["sjgateway:subscribe",{"events":["tick"]}]'),
    frame(b"3"),
    frame(b"40"),
    frame(b"41"),
    frame(b"42[]"),
    frame(b'42["connect"]'),
    frame(b'42["x"'),
    frame(b"42[\xff]"),
    frame(b"\x03\xe8", 8),
)
OWN_ID = re.compile(rb".42[0-9]+\[", re.DOTALL)
"""A question, whose id has a random number of digits, and the byte with its length."""


def heard(reads: list[bytes]) -> tuple[bytes, bool]:
    """What another client gets of what comes in `reads`; whether the sender is there still."""
    world = Whole()
    sender = world.connect()
    for part in (REQUEST, frame(b'40{"events":["nothing"]}')):
        sender.protocol.dataReceived(part)
    world.turn()
    before = len(world.healthy.kernel.sent)
    for each in reads:
        if sender.connected:
            sender.protocol.dataReceived(each)
    for _ in range(3):  # a read that is dear goes on in later turns
        world.turn()
    return OWN_ID.sub(b"42[", bytes(world.healthy.kernel.sent[before:])), sender.connected


class BurstTests(SynchronousTestCase):
    @untraced
    @settings(deadline=None, max_examples=40)
    @given(st.lists(st.sampled_from(MESSAGES), min_size=1, max_size=8))
    def test_the_others_hear_the_same_in_the_same_order(self, messages: list[bytes]) -> None:
        self.assertEqual(heard([b"".join(messages)]), heard(messages))

    @untraced
    def test_each_kind_between_events(self) -> None:
        event = MESSAGES[0]
        for each in MESSAGES:
            messages = list(chain((event, each), (event, event)))
            self.assertEqual(heard([b"".join(messages)]), heard(messages), each)

    def test_their_times_are_in_their_order_in_a_recording_too(self) -> None:
        world = Whole()
        sender = world.connect()
        sender.protocol.dataReceived(REQUEST)
        sender.protocol.dataReceived(frame(b"40"))
        sender.protocol.dataReceived(MESSAGES[1] * 100)
        times = [f"{event.wall:.6f}" for event in world.observer.last]
        self.assertEqual((len(times), times), (100, sorted(set(times))))
