"""When a gateway says that it is cut off from the log."""

from functools import partial
from types import SimpleNamespace
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from gateway.cluster.address import Address
from gateway.cluster.cluster import ALARM, GRACE, LOOK, Cluster
from gateway.cluster.settings import ClusterSettings
from gateway.engineio.deadlines import Deadlines


class CutOffTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        address = Address(path="/run/redis")
        settings = ClusterSettings(address=address, gateway="g1", key=b"k" * 32)
        soon = partial(self.reactor.callLater, 0)
        self.cluster = Cluster(self.reactor, Deadlines(self.reactor.seconds), settings, soon)
        self.cluster.running = True
        self.journal = SimpleNamespace(is_well=True, reading=SimpleNamespace(is_attached=True))
        self.cluster.journals["/"] = self.journal  # type: ignore[assignment]
        self.links: list[Any] = [self.cluster.talk, self.cluster._listening]
        for each in self.links:
            each.down_since = None
        self.told: list[str] = []
        self.alarms: list[str] = []
        self.cluster.on_cut_off.append(self.told.append)
        self.cluster.on_alarm.append(self.alarms.append)
        self.look(LOOK)

    def look(self, seconds: float) -> None:
        for _ in range(int(seconds / LOOK)):
            self.reactor.advance(LOOK)
            self.cluster._look()

    def lose(self, why: str) -> None:
        self.links[0].down_since, self.links[0].trouble = self.reactor.seconds(), why

    def test_an_outage_is_told_after_a_while_and_to_people_after_a_longer_one(self) -> None:
        self.lose("refused")
        self.look(GRACE - LOOK)
        self.assertEqual(self.told, [])
        self.look(LOOK)
        self.assertEqual((self.told, self.alarms), (["refused"], []))
        self.look(ALARM)
        self.assertEqual((self.told, self.alarms), (["refused"], ["refused"]))
        self.links[0].down_since = None
        self.look(2 * LOOK)
        self.assertEqual((self.told, self.alarms), (["refused", ""], ["refused", ""]))

    def test_the_reason_is_that_of_now_and_is_told_once(self) -> None:
        self.lose("refused")
        self.look(GRACE)
        self.links[0].trouble = "no memory"
        self.look(LOOK)
        self.assertEqual((self.told, self.cluster.cut_off), (["refused"], "no memory"))

    def test_one_that_ends_soon_is_not_told(self) -> None:
        self.lose("refused")
        self.look(GRACE - LOOK)
        self.links[0].down_since = None
        self.look(10)
        self.assertEqual(self.told, [])

    def test_a_log_that_refuses_whatever_connection_is_made_is_told(self) -> None:
        for _ in range(8):
            self.lose("no memory")
            self.look(LOOK)
            self.links[0].down_since, self.links[0].trouble = None, ""
            self.look(LOOK)
        self.assertEqual(self.told, ["no memory"])

    def test_an_island_is_told_though_both_connections_are_there(self) -> None:
        self.journal.is_well = False
        self.look(ALARM + 2 * LOOK)
        why = "the log does not take what is said here"
        self.assertEqual((self.told, self.alarms), ([why], [why]))

    def test_a_log_that_is_never_read_to_its_end_is_told(self) -> None:
        self.journal.is_well = self.journal.reading.is_attached = False
        self.look(GRACE + 2 * LOOK)
        self.assertEqual(self.told, ["the log is being read"])
