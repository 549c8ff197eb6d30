"""The reading end of a connection: what an answer brings is a turn of its own."""

from twisted.trial.unittest import SynchronousTestCase

from gateway.cluster.resp import LostError
from gateway.cluster.tail import Tail

LOG = "log"


class Link:
    """A connection that is up, and answers when the test does."""

    is_up = True

    def __init__(self, done):
        self.on_up = []
        self.answer = None
        self._done = done

    def call(self, *command, answer):
        self._done.append(f"asks after {command[-1]}")
        self.answer = answer


class TailTests(SynchronousTestCase):
    def setUp(self):
        self.done = []
        self.link = Link(self.done)
        self.tail = Tail(self.link)
        self.tail.follow(LOG, "0-0", self.take)

    def take(self, id, fields):
        self.done.append(f"takes {id.decode()}")
        if not self.tail.at_end(self.end):
            self.done.append("not told when it ends")

    def end(self):
        self.done.append("ends")

    def answer(self, *ids):
        self.done.clear()
        self.link.answer([(LOG.encode(), [(id, []) for id in ids])] if ids else None)

    def test_what_came_together_ends_before_the_next_is_asked_for(self):
        self.answer(b"1-1", b"1-2")
        self.assertEqual(
            ["takes 1-1", "takes 1-2", "ends", "ends", "asks after 1-2"],
            self.done,
        )

    def test_each_answer_has_an_end_of_its_own(self):
        self.answer(b"1-1")
        self.answer(b"1-2")
        self.assertEqual(["takes 1-2", "ends", "asks after 1-2"], self.done)

    def test_there_is_no_end_where_nothing_is_read(self):
        self.assertFalse(self.tail.at_end(self.end))
        self.answer()
        self.assertEqual(["asks after 0-0"], self.done)
        self.assertFalse(self.tail.at_end(self.end))

    def test_what_is_wanted_at_an_end_comes_in_a_turn_of_the_reactor(self):
        self.end = lambda: self.done.append(str(self.tail.at_end(self.fail)))
        self.answer(b"1-1")
        self.assertEqual(["takes 1-1", "False", "asks after 1-1"], self.done)

    def test_a_failure_at_the_end_does_not_stop_the_reading(self):
        self.end = lambda: 1 / 0
        self.answer(b"1-1")
        self.flushLoggedErrors(ZeroDivisionError)
        self.assertEqual("asks after 1-1", self.done[-1])

    def test_a_lost_connection_is_not_asked(self):
        self.done.clear()
        self.link.answer(LostError("LOST it is gone"))
        self.assertEqual([], self.done)
