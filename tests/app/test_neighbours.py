"""What a gateway of a cluster tells of the others, and whose control it asks."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.app.neighbours import Neighbours
from gateway.cluster.address import Address
from gateway.cluster.settings import ClusterSettings
from gateway.contract import NoWorker
from tests.cluster.links import NAMES, FakeLink, FakeRedis
from tests.cluster.test_control import OwnControl


class NeighboursTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.redis = Clock(), FakeRedis()
        self.has_worker = True
        self.looks: list[str] = []
        self.elected = SimpleNamespace(
            leads=lambda: self.has_worker,
            holder="a",
            why="why",
            status=lambda: {"left": 41.0},
            look=lambda: self.looks.append("now"),
        )
        self.a = self.gateway("a", OwnControl("a"), self.elected)
        self.c = self.gateway("c", NoWorker(), None)

    def gateway(self, name: str, own, worker) -> Neighbours:
        link = FakeLink(self.redis)
        cluster = SimpleNamespace(
            talk=link,
            tail=SimpleNamespace(follow=lambda *_: None),
            names=NAMES,
            gateway=name,
            incarnation=f"{name}1",
            settings=ClusterSettings(address=Address(), gateway=name, key=bytes(32)),
            status=lambda: {"gateway": name, "cutOff": None},
        )
        made = Neighbours(self.clock, cluster, own, worker, lambda: 7)
        link.is_up = True
        self.assertIs(cluster.mail, made.mail)
        self.assertIs(cluster.members, made.members)
        return made

    def look(self, *gateways: Neighbours, times: int = 1) -> None:
        for _ in range(times):
            for each in gateways:
                each._look()
            self.clock.advance(1)

    def test_the_status_tells_who_is_there_and_who_has_the_worker(self) -> None:
        self.look(self.a, self.c, times=3)
        for each in (self.a, self.c):
            told = each.status()
            self.assertEqual(told["worker"], "a")
            self.assertEqual([one["name"] for one in told["members"]], ["a", "c"])
            self.assertEqual(told["members"][0]["clients"], 7)
            self.assertFalse(told["namesake"])
            self.assertIn("cutOff", told)
        self.assertEqual(self.a.status()["lease"], {"left": 41.0})
        self.assertIsNone(self.c.status()["lease"], "it takes no part")

    def test_a_gateway_without_a_worker_tells_of_that_of_the_cluster(self) -> None:
        self.look(self.a, self.c, times=2)
        self.assertEqual(self.c.control.health(), {"state": "running", "restarts": 1})
        self.assertTrue(self.c.control.running)

    def test_where_no_gateway_has_one_none_is_expected(self) -> None:
        self.has_worker = False
        self.look(self.a, self.c, times=2)
        self.assertTrue(self.c.control.ready)
        self.assertEqual(self.c.control.health(), {"state": "disabled"})
        self.assertIsNone(self.c.status()["worker"])
        self.assertFalse(self.a.control.ready)

    def test_whoever_waits_is_told_at_once_that_the_lease_is_free(self) -> None:
        self.look(self.a, self.c, times=3)
        self.elected.on_release()
        self.assertNotIn(NAMES.mail("a"), self.redis.streams)
        (letter,) = self.redis.streams[NAMES.mail("c")]
        self.c.mail.received(letter)  # it runs no worker
        self.c.mail.post("a", "released", b"")
        (letter,) = self.redis.streams[NAMES.mail("a")]
        self.a.mail.received(letter)
        self.assertEqual(self.looks, ["now"])

    def test_who_ends_takes_leave(self) -> None:
        self.look(self.a, self.c, times=3)
        leaving, _ = self.a.services()
        leaving.startService()
        leaving.stopService()
        self.look(self.c)
        self.assertEqual([one["name"] for one in self.c.status()["members"]], ["c"])
