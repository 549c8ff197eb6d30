from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.logs import EventCounts


class EventCountsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.events: list[dict] = []
        globalLogPublisher.addObserver(self.events.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)
        self.clock = Clock()
        self.count = EventCounts(self.clock.callLater, 1)

    def lines(self) -> list[str]:
        return [formatEvent(event) for event in self.events if event.get("tag") == "Relay"]

    def test_one_line_for_all_of_an_interval(self) -> None:
        for _ in range(2900):
            self.count("market_tick")
        self.count("heartbeat")
        self.assertEqual(self.lines(), [])
        self.clock.advance(1)
        self.assertEqual(self.lines(), ["2901 events in 1 s: market_tick 2900, heartbeat 1"])

    def test_silence_logs_nothing_and_leaves_no_timer(self) -> None:
        self.count("a")
        self.clock.advance(1)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.count("b")
        self.clock.advance(1)
        self.assertEqual(self.lines(), ["1 events in 1 s: a 1", "1 events in 1 s: b 1"])

    def test_the_last_ones_are_logged_at_the_end(self) -> None:
        self.count("a")
        self.clock.advance(0.5)
        self.count.finish()
        self.assertEqual(self.lines(), ["1 events in less than 1 s: a 1"])
        self.clock.advance(1)
        self.count.finish()
        self.assertEqual(len(self.lines()), 1)

    def test_a_line_stays_short(self) -> None:
        for number in range(5000):
            self.count(f"{number % 100:04}" * 25)
        self.clock.advance(1)
        (line,) = self.lines()
        self.assertLess(len(line), 700)
        self.assertTrue(line.startswith("5000 events"))
        self.assertTrue(line.endswith("other 4600"))

    def test_an_event_that_is_called_other_is_counted(self) -> None:
        self.count("other")
        self.count("a")
        self.clock.advance(1)
        self.assertEqual(self.lines(), ["2 events in 1 s: a 1, other 1"])

    def test_a_minute_of_3000_events_a_second_is_a_few_lines(self) -> None:
        self.count = EventCounts(self.clock.callLater)
        for _ in range(60):
            for number in range(3000):
                self.count(f"event {number % 20}")
            self.clock.advance(1)
        self.assertEqual(len(self.lines()), 6)
        self.assertLess(sum(map(len, self.lines())), 2000)

    def test_totals_go_on_over_all_intervals(self) -> None:
        for _ in range(3):
            self.count("a")
            self.count("b")
            self.clock.advance(1)
            self.count("a")
        self.assertEqual(self.count.totals(), {"a": 6, "b": 3})
