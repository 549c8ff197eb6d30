"""When a snapshot is kept in Redis."""

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.cluster.places import Place, Places
from gateway.cluster.resp import LostError
from gateway.cluster.site import Keys
from gateway.cluster.snapshots import SHARE, Snapshots


class SnapshotsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.asked: list[Any] = []
        talk = SimpleNamespace(run_script=lambda *words: self.asked.append(words[-1]))
        site: Any = SimpleNamespace(talk=talk, records=2 * SHARE, history=1000 * SHARE)
        continuity = SimpleNamespace(snapshot=list, changed_clients=list)
        hub: Any = SimpleNamespace(continuity=continuity, log=SimpleNamespace(surplus=int))
        places = Places()
        places.begin(Place(1, 0), 0)
        self.snapshots = Snapshots(site, hub, places, Keys("log", "meta", "checkpoint"))

    def read(self, events: int) -> None:
        """A batch of this gateway came back."""
        self.snapshots.count([SimpleNamespace(size=1)] * events)  # type: ignore[list-item]
        self.snapshots.consider(1, 0)

    def test_after_a_share_of_what_the_log_may_hold_one_is_written(self) -> None:
        self.read(2)
        self.assertEqual(len(self.asked), 0)
        self.read(1)
        self.assertEqual(len(self.asked), 1)

    def test_none_is_written_again_for_batches_that_are_read_before_its_entry(self) -> None:
        self.read(3)
        self.read(1)
        self.asked[0](1)
        self.read(1)
        self.snapshots.written()
        self.read(1)
        self.assertEqual(len(self.asked), 1)

    def test_one_that_was_not_kept_is_written_again(self) -> None:
        for answer in (0, LostError("LOST")):
            self.read(3)
            *_, answered = self.asked
            answered(answer)
            self.read(1)
            self.assertEqual(len(self.asked), 2)
            self.setUp()
