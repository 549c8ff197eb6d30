from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.deadlines import Deadlines
from gateway.ops.alerts.rules import Alert, AlertLimiter


class LimiterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.deadlines = Deadlines(self.clock.seconds)
        self.sent: list[Alert] = []
        self.limiter = AlertLimiter(self.deadlines, 60, self.sent.append)

    def tell(self, *kinds: str, subject: str = "worker") -> None:
        for kind in kinds:
            self.limiter.tell(
                Alert(kind=kind, subject=subject, detail="", timestamp=str(self.clock.seconds()))
            )

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.deadlines.advance()

    def kinds(self) -> list[str]:
        return [alert.kind for alert in self.sent]

    def test_different_kinds_and_subjects_pass_at_once(self) -> None:
        self.tell("died", "paused", "fatal")
        self.tell("stale", subject="futures")
        self.tell("stale", subject="stocks")
        self.assertEqual(self.kinds(), ["died", "paused", "fatal", "stale", "stale"])

    def test_the_same_again_waits_for_its_time(self) -> None:
        self.tell("died")
        self.wait(10)
        self.tell("died")
        self.wait(49)
        self.assertEqual(self.kinds(), ["died"])
        self.wait(1)
        self.assertEqual(self.kinds(), ["died", "died"])
        self.assertEqual([alert.timestamp for alert in self.sent], ["0.0", "10.0"])
        self.wait(59)
        self.tell("died")
        self.assertEqual(len(self.sent), 2, "the time counts from when it was sent")

    def test_what_is_told_last_is_how_things_are(self) -> None:
        for _ in range(10):
            self.tell("stale", "recovered")
            self.wait(1)
        self.assertEqual(self.kinds(), ["stale", "recovered"])
        self.wait(60)
        self.assertEqual(self.kinds(), ["stale", "recovered", "recovered"])
        self.assertEqual(self.sent[-1].held_back, 17)
        self.wait(1000)
        self.assertEqual(len(self.sent), 3)

    def test_what_was_held_back_is_counted_once(self) -> None:
        self.tell("died", "died", "died")
        self.wait(60)
        self.wait(60)
        self.tell("died")
        self.assertEqual([alert.held_back for alert in self.sent], [0, 1, 0])

    def test_a_flood_is_a_trickle(self) -> None:
        for _ in range(3600):
            self.tell("died", "recovered")
            self.wait(1)
        self.assertLessEqual(len(self.sent), 2 * 61)

    def test_without_an_interval_everything_passes(self) -> None:
        self.limiter = AlertLimiter(self.deadlines, 0, self.sent.append)
        self.tell("died", "died")
        self.assertEqual(self.kinds(), ["died", "died"])
