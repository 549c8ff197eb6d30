from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.deadlines import Deadlines
from gateway.ops.alerts.delivery import LONGEST, TRIES, WAITING, Delivery, PostError


class DeliveryTests(SynchronousTestCase):
    """A receiver that the test plays, and a clock that it moves."""

    chance = 0.0

    def setUp(self) -> None:
        self.clock = Clock()
        self.deadlines = Deadlines(self.clock.seconds)
        self.posts: list[Any] = []
        self.answer: Deferred[None] = Deferred()
        self.delivery = Delivery("a.example", self.post, self.deadlines, lambda: self.chance)
        self.events: list[dict] = []
        globalLogPublisher.addObserver(self.events.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)

    def post(self, body: Any) -> Deferred[None]:
        self.posts.append(body)
        self.answer = Deferred()
        return self.answer

    def send(self, *numbers: int) -> None:
        for number in numbers:
            self.delivery.send({"n": number})

    def fail(self, **how: Any) -> None:
        self.answer.errback(PostError("answered 500", **how))

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.deadlines.advance()

    def numbers(self) -> list[int]:
        new, self.posts[:] = list(self.posts), []
        return [body["n"] for body in new]

    def said(self) -> list[str]:
        return [formatEvent(event) for event in self.events]

    def pause(self) -> float:
        """Seconds until the next try."""
        assert self.deadlines.next is not None
        return self.deadlines.next - self.clock.seconds()

    def test_one_after_the_other_in_order(self) -> None:
        self.send(1, 2, 3)
        self.assertEqual(self.numbers(), [1])
        self.answer.callback(None)
        self.assertEqual(self.numbers(), [2])
        self.answer.callback(None)
        self.answer.callback(None)
        self.send(4)
        self.assertEqual(self.numbers(), [3, 4])
        self.answer.callback(None)
        self.assertEqual(self.delivery.results, {"delivered": 4, "failed": 0, "lost": 0})

    def test_a_failure_is_tried_again_and_nothing_overtakes_it(self) -> None:
        self.send(1, 2)
        self.fail()
        self.assertEqual(self.numbers(), [1])
        self.wait(1.9)
        self.assertEqual(self.numbers(), [])
        self.wait(0.2)
        self.assertEqual(self.numbers(), [1])
        self.answer.callback(None)
        self.assertEqual(self.numbers(), [2])
        self.assertEqual(self.delivery.results, {"delivered": 1, "failed": 1, "lost": 0})
        self.assertEqual(self.said(), ["An alert waits: a.example answered 500; next try in 2 s"])

    def pauses(self) -> list[float]:
        """The pauses of an alert that never arrives."""
        self.send(1)
        pauses = []
        while not self.answer.called:
            self.fail()
            if self.deadlines.next is not None:
                pauses.append(self.pause())
                self.wait(self.pause())
        return pauses

    def test_pauses_double_within_bounds_until_it_is_given_up(self) -> None:
        pauses = self.pauses()
        self.assertEqual(pauses, [min(2.0 * 2**n, LONGEST) for n in range(TRIES - 1)])
        self.assertEqual(len(self.posts), TRIES)
        self.assertEqual(self.delivery.results, {"delivered": 0, "failed": TRIES, "lost": 1})
        self.assertEqual(self.said()[-1], "The alert is given up: a.example answered 500")
        self.numbers()
        self.send(2)
        self.assertEqual(self.numbers(), [2], "the next one is tried at once")

    def test_up_to_half_of_a_pause_is_left_to_chance(self) -> None:
        self.chance = 0.999
        self.assertTrue(all(1 <= pause / 2**n < 1.01 for n, pause in enumerate(self.pauses())))

    def test_a_receiver_that_asks_for_more_time_gets_it_within_bounds(self) -> None:
        for after, pause in ((30.0, 30.0), (86400.0, LONGEST), (0.0, 8.0)):
            self.send(1)
            self.fail(after=after)
            self.assertEqual(self.pause(), pause)
            self.wait(pause)

    def test_what_makes_no_sense_to_repeat_is_given_up_at_once(self) -> None:
        self.send(1, 2)
        self.fail(retry=False)
        self.assertEqual(self.numbers(), [1, 2])
        self.assertEqual(self.delivery.results, {"delivered": 0, "failed": 1, "lost": 1})

    def test_what_waits_is_bounded_and_the_newest_counts(self) -> None:
        self.send(*range(1000))
        for _ in range(WAITING):
            self.answer.callback(None)
        self.assertEqual(self.numbers(), [0, *range(1000 - WAITING, 1000)])
        self.assertEqual(self.delivery.results["lost"], 999 - WAITING)

    def test_the_end(self) -> None:
        self.send(1, 2)
        self.delivery.stop()
        self.wait(10_000)
        self.assertEqual(self.numbers(), [1])
        self.assertEqual(self.said(), [])

    def test_the_end_in_a_pause(self) -> None:
        self.send(1)
        self.fail()
        self.delivery.stop()
        self.wait(10_000)
        self.assertEqual(self.numbers(), [1])

    def test_a_fault_of_ours_is_logged(self) -> None:
        self.send(1)
        self.answer.errback(ZeroDivisionError())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
