"""A trader's rule is called in order, and costs nothing but itself."""

from twisted.trial.unittest import SynchronousTestCase

from gateway.client.console import log
from gateway.client.rule import TELL_EVERY, WAITING_LIMIT, Rule, RuleThread
from tests.client.test_minutes import tick
from tests.client.told import Told


class Noting(Rule):
    def __init__(self) -> None:
        self.ticks: list[float] = []
        self.bars: list[dict] = []
        self.failure: BaseException | None = None

    def on_tick(self, tick: dict) -> None:
        self.ticks.append(tick["price"])
        if self.failure is not None:
            raise self.failure

    def on_bar(self, bar: dict) -> None:
        self.bars.append(bar)


class RuleThreadTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.now = 0.0
        self.said: list[str] = []
        for level in ("warning", "exception"):
            self.patch(log, level, lambda text, *args: self.said.append(text % args))
        self.rule, self.told = Noting(), Told()
        self.thread = RuleThread(self.rule, self.told, lambda: self.now)

    def test_ticks_and_bars_come_in_order(self) -> None:
        for clock, price in (("09:00:01", 5), ("09:00:30", 8), ("09:01:00", 6)):
            self.thread.hear(tick(clock, price))
        self.thread.step()
        self.assertEqual(self.rule.ticks, [5, 8, 6])
        self.assertEqual([bar["close"] for bar in self.rule.bars], [8])
        self.now = 3600
        self.thread.step()
        self.assertEqual([bar["close"] for bar in self.rule.bars], [8, 6])

    def test_one_that_fails_is_told_once_in_a_while_and_called_again(self) -> None:
        for failure in (ValueError("no"), BaseException("a panic")):
            self.rule.failure = failure
            for _ in range(3):
                self.thread.hear(tick("09:00:01", 5))
            self.thread.step()
            self.now += TELL_EVERY
        self.assertEqual(len(self.rule.ticks), 6)
        errors = [data["error"] for name, data in self.told.events if name == "python_error"]
        self.assertEqual(errors, ["no", "a panic"])
        counts = [text.split(", ")[1].split()[0] for text in self.said]
        self.assertEqual(counts, ["1", "3"])

    def test_a_tick_that_can_not_be_counted_ends_nothing(self) -> None:
        self.thread.hear({**tick("09:00:01", 5), "datetime": "soon"})
        self.thread.hear(tick("09:00:01", 6))
        self.thread.hear(tick("09:01:00", 7))
        self.thread.step()
        self.assertEqual(self.rule.ticks, [5, 6, 7])
        self.assertEqual([bar["close"] for bar in self.rule.bars], [6])
        self.assertEqual(len(self.said), 1)

    def test_one_that_is_slow_loses_the_oldest_ticks_and_says_so_once(self) -> None:
        for number in range(WAITING_LIMIT + 5):
            self.thread.hear(tick("09:00:01", number))
        self.thread.step()
        self.assertEqual((self.rule.ticks[0], len(self.rule.ticks)), (5, WAITING_LIMIT))
        self.assertEqual(len(self.said), 1)
        self.assertIn("behind", self.said[0])

    def test_its_thread_wakes_for_a_tick(self) -> None:
        called: list[dict] = []
        self.rule.on_tick = lambda tick: called.append(tick) or self.told.publish("called", tick)
        self.thread.start()
        self.thread.hear(tick("09:00:01", 5))
        self.assertEqual(self.told.await_published("called")["price"], 5)

    def test_a_rule_that_writes_nothing_does_nothing(self) -> None:
        rule = Rule()
        self.assertEqual(list(rule.subscribe()), [])
        self.assertIsNone(rule.on_tick({}))
        self.assertIsNone(rule.on_bar({}))
