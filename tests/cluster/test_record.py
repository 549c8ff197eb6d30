"""What stands in one batch of the log."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.cluster.places import Place
from gateway.cluster.record import (
    Checkpoint,
    Note,
    Reader,
    join,
    pack,
    pack_checkpoint,
    places_of,
    read_checkpoint,
)
from gateway.engineio.packet import Packet
from gateway.relay.event import Event, Keys, Question, Sender
from gateway.relay.journal import Mark

KEYS = Keys(frozenset(("tick",)))


def said(value, *, sender=None, attached=(), trusted=True, current=True, question=None):
    """An event as its sender said it; of a question the payload."""
    text = b"42" + str(value).replace("'", '"').encode()
    packets = (Packet(text), *[Packet(each, binary=True) for each in attached])
    return Event(packets, sender, KEYS.of(value), trusted, 1.5, current, question)


def read(*contents: Any, number=0, ask=None):
    reader = Reader(lambda text: f"{text}.signed")
    return reader.read(join([pack(each, number) for each in contents]), ask)


class RecordTests(SynchronousTestCase):
    def test_an_event_is_the_same_on_another_gateway(self):
        for value in (
            ["tick", {"code": "TXFR1"}],
            ["tick", {"code": 2330}],
            ["tick", {}],
            ["note", "a", 1],
            [7],
        ):
            event = said(value, trusted=len(value) > 1, current=len(value) > 1)
            ((again,),) = read([event])
            for field in ("packets", "name", "code", "key", "trusted", "current", "wall", "size"):
                self.assertEqual(getattr(again, field), getattr(event, field), (value, field))

    def test_attachments_follow_their_event(self):
        ((again,),) = read([said(["note"], attached=(b"\x00\xff", b""))])
        self.assertEqual([each.binary for each in again.packets], [False, True, True])
        self.assertEqual([each.data for each in again.packets[1:]], [b"\x00\xff", b""])

    def test_events_of_one_read_stay_together_and_in_order(self):
        one, two = read([said(["a"]), said(["b"])], [said(["c"])])
        self.assertEqual([[each.name for each in some] for some in (one, two)], [["a", "b"], ["c"]])

    def test_a_client_that_moves_is_known_without_what_lets_it_in(self):
        sender = Sender("sid.7-3.signature")
        events = [said(["a"], sender=sender)]
        self.assertNotIn(b"signature", pack(events))
        ((again,),) = read(events)
        self.assertEqual(again.sender.pid, "sid.7-3.signed")

    def test_a_question_keeps_its_payload_and_its_number(self):
        asker = Sender()
        event = said(["ask"], sender=asker, attached=(b"x",), question=Question(asker, 3))
        event.become(Packet(b'["ask"]'), *event.packets[1:])
        asked: list[int] = []
        question = Question(Sender(), 0)
        ((again,),) = read([event], number=7, ask=lambda n: asked.append(n) or question)
        self.assertEqual([each.data for each in again.packets], [b'["ask"]', b"x"])
        self.assertEqual(asked, [7])
        self.assertIs(again.question, question)
        ((again,),) = read([event])
        self.assertIsNone(again.question, "nobody is asked twice")
        self.assertTrue(again.acked, "nor is anybody who comes later")

    def test_marks_and_notes_are_what_they_were(self):
        note = Note("sid.7-3", b"{}")
        self.assertEqual(read(Mark.QUOTES_GONE, note), [Mark.QUOTES_GONE, note])
        self.assertEqual([places_of(each) for each in (Mark.QUOTES_GONE, note, [1, 2])], [1, 1, 2])


class CheckpointTests(SynchronousTestCase):
    def test_it_has_the_values_in_their_order(self):
        values = [said(["tick", {"code": code}]) for code in ("B", 7, "A")]
        for position, event in enumerate(values):
            event.position = position
        made = Checkpoint(*Place(9, 40), 2, values, [Note("sid", b"{}")])
        data = pack_checkpoint(made, lambda event: event.position + 100)
        again = read_checkpoint(data)
        assert again is not None
        self.assertEqual((again.epoch, again.position, again.lead), (9, 40, 2))
        self.assertEqual([each.key for each in again.values], [each.key for each in values])
        self.assertEqual([each.packets for each in again.values], [v.packets for v in values])
        self.assertEqual([each.position for each in again.values], [100, 101, 102])
        self.assertEqual(again.notes, made.notes)

    def test_one_of_another_version_is_passed_over(self):
        data = pack_checkpoint(Checkpoint(9, 40, 0, [], []), bool)
        self.assertIsNone(read_checkpoint(data.replace(b"\x96\x01", b"\x96\x02", 1)))
