"""Stock clients over a hand-over, and over a kill with a restart; the benchmark has many more."""

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.restarts import crowd

CLIENTS, RATE = 12, 50.0
"""Two of each kind, recovering and not; events a second."""


class CrowdTests(SynchronousTestCase):
    def sees(self, end: str, *, held: bool = False, refused: bool = False) -> None:
        """Nobody loses or doubles anything; `refused`: a try may fail while nobody listens."""
        seen, kept = crowd(end, CLIENTS, RATE, held=held)
        self.assertTrue(kept, "the worker was replaced")
        for each in seen:
            self.assertEqual((each.lost, each.doubled), (0, 0), each)
            recovering = "not" not in each.name
            self.assertEqual(each.recovered, each.clients if recovering else 0, each)
            if not refused:
                self.assertEqual(each.refused, 0, each)

    def test_over_a_hand_over(self) -> None:
        self.sees("hand-over")

    def test_over_a_kill_and_a_restart(self) -> None:
        self.sees("kill", refused=True)

    def test_over_a_kill_whose_socket_somebody_holds(self) -> None:
        self.sees("kill", held=True)
