"""What is on its way to the log."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.cluster.own import RECENT, Own
from gateway.cluster.record import Note
from tests.cluster.test_record import said


class OwnTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.clock.advance(100)
        self.own = Own(self.clock.seconds, 4000)

    def say(self, *numbers, told_at=None):
        """Events, told here at `told_at` and after it."""
        for number in numbers:
            event = said(["tick", {"code": "A", "n": number}])
            made = self.own.add([event])
            if told_at is not None:
                made.told, event.position = True, told_at + number

    def send(self):
        return list(self.own.batches())

    def again(self, *, all):
        return [batch.number for batch in self.own.again(all=all)]

    def test_a_batch_flies_until_it_is_read(self):
        self.say(1)
        self.send()
        self.assertEqual(self.again(all=False), [1])
        self.own.arrived(1)
        self.assertTrue(self.own.is_idle)
        self.assertEqual(self.again(all=False), [])

    def test_what_was_read_lately_goes_to_a_server_that_may_have_lost_it(self):
        for number in (1, 2):
            self.say(number)
            self.send()
            self.own.arrived(number)
            self.clock.advance(RECENT * 0.6)
        self.say(3)
        self.send()
        self.assertEqual(self.again(all=True), [2, 3])
        self.assertEqual(self.again(all=False), [2, 3], "until the log has it")

    def test_what_that_server_has_not_lost_flies_no_more(self):
        for number in (1, 2):
            self.say(number)
            self.send()
            self.own.arrived(number)
        one, two = self.own.again(all=True)
        self.own.was_written(one)
        self.assertEqual(self.again(all=False), [2])
        self.own.was_written(two)
        self.assertTrue(self.own.is_idle)
        self.assertEqual(self.again(all=True), [1, 2], "they are kept as before")

    def test_what_it_has_and_what_it_lacks_stay_in_their_order(self):
        for number in (1, 2, 3):
            self.say(number)
            self.send()
        for number in (1, 2):
            self.own.arrived(number)
        one, *_ = self.own.again(all=True)
        self.own.was_written(one)
        self.assertFalse(self.own.arrived(3).was_read)
        self.assertEqual(self.again(all=True), [1, 2, 3])
        self.assertTrue(self.own.arrived(1).was_read)

    def test_a_batch_whose_answer_was_lost_flies_until_it_is_read(self):
        self.say(1)
        (batch,) = self.send()
        self.own.was_written(batch)
        self.assertEqual(self.again(all=False), [1])

    def test_the_oldest_that_was_told_early_and_has_no_place(self):
        self.assertIsNone(self.own.unplaced())
        self.say(1)
        self.assertIsNone(self.own.unplaced(), "it was told to nobody")
        self.say(2, 3, told_at=500)
        self.assertEqual(self.own.unplaced(), 502)
        self.send()
        self.assertEqual(self.own.unplaced(), 502)
        self.own.arrived(1)
        self.assertIsNone(self.own.unplaced())
        self.own.again(all=True)
        self.assertIsNone(self.own.unplaced(), "it had a place")

    def test_of_the_notes_of_a_client_the_newest_is_kept(self):
        self.say(1)
        for number in range(200):
            note = self.own.add(Note(f"sid{number % 3}", b"%d" % number + b"x" * 90))
            note.told = True
        notes = [each.content for each in self.own.waiting() if isinstance(each.content, Note)]
        self.assertLess(self.own.waiting_bytes, 4000)
        newest = {note.said: note.value[:3] for note in notes}
        self.assertEqual(newest, {"sid0": b"198", "sid1": b"199", "sid2": b"197"})

    def test_the_oldest_notes_make_room_where_newer_ones_do_not(self):
        for number in range(100):
            self.own.add(Note(f"sid{number}", b"x" * 90)).told = True
            self.assertLess(self.own.waiting_bytes, 4200)
        self.assertEqual([*self.own.waiting()][-1].content.said, "sid99")
        self.assertEqual(self.own.dropped, 0, "no event was")

    def test_what_nobody_was_told_is_kept_and_not_looked_at_each_time(self):
        looked = []
        newest = self.own._newest
        self.own._newest = lambda: looked.append(1) or newest()  # type: ignore[method-assign]
        self.say(*range(1000))
        self.assertEqual(len([*self.own.waiting()]), 1000)
        self.assertLess(len(looked), 10)
