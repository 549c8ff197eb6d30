"""The list of inputs is what it says: whole, accepted where it should be, and measured."""

import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.client import frame
from tests.cost.inputs import Input, Way, event, inputs
from tests.fuzz.whole import Whole
from tests.patience import PATIENCE
from tests.web.peer import REQUEST

EVENTS = "an event"
ROOT = Path(__file__).parents[2]


class InputTests(SynchronousTestCase):
    def test_each_kind_has_a_name_of_its_own(self) -> None:
        names = [each.name for each in inputs()]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual({each.way for each in inputs()}, set(Way))
        self.assertEqual({each.known for each in inputs()}, {False, True})

    def test_a_plain_event_is_as_large_as_it_is_compared_with(self) -> None:
        for size in (20, 131, 132, 140, 1000, 65_549, 65_560, 900_000):
            self.assertLess(len(event(size)) - size, 14, size)
        self.assertEqual(event(1), frame(b'42["a"]'))

    def test_events_reach_the_others(self) -> None:
        kinds = [each for each in inputs() if each.name.startswith(EVENTS) and self.is_small(each)]
        self.assertGreater(len(kinds), 15)
        for each in kinds:
            whole = Whole()
            self.say(whole, frame(b"40"), each.unit)
            whole.turn()
            self.assertIn(b'["a', whole.healthy.kernel.sent, each.name)

    def is_small(self, each: Input) -> bool:
        return each.known and each.way is Way.WEBSOCKET and len(each.unit) < 60_000

    def say(self, whole: Whole, *data: bytes) -> None:
        client = whole.connect()
        for part in (REQUEST, *data):
            client.protocol.dataReceived(part)
            whole.turn()


class CommandTests(SynchronousTestCase):
    def test_the_kinds_with_one_of_the_words_are_measured(self) -> None:
        kinds = [each.name for each in inputs() if "wrong token" in each.name]
        done = subprocess.run(
            [sys.executable, "-m", "tests.cost", "wrong token"],
            cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        self.assertEqual(done.stderr, "")
        rows = [line for line in done.stdout.splitlines() if line.startswith("| ")][1:]
        self.assertEqual([row.split(" | ")[0].removeprefix("| ") for row in rows], kinds)
        self.assertIn("more than 20 times an event", done.stdout)
