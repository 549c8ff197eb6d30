"""The election and the worker, joined: when one may start, and what the next gateway knows."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.app import elected_worker
from gateway.app.elected_worker import ElectedWorker
from gateway.cluster.address import Address
from gateway.cluster.election import Record
from gateway.cluster.settings import ClusterSettings
from gateway.cluster.terms import Terms
from tests.cluster.links import NAMES, FakeLink, FakeRedis

FREE = Record("", 6, 1, "run-1")


class Supervisor:
    """What the worker's supervisor is told, and what it knows."""

    def __init__(self, told: bytes = b"{}") -> None:
        self.lives: list[float | None] = []
        self.learnt: list[bytes] = []
        self.estate = SimpleNamespace(told=lambda: told, learn=self.learnt.append)

    def may_live(self, until: float | None) -> None:
        self.lives.append(until)


class ElectedWorkerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.patch(elected_worker, "now", self.clock.seconds)
        self.redis = FakeRedis()
        self.redis.record = FREE
        self.a, self.b = self.gateway("a"), self.gateway("b")

    def gateway(self, name: str) -> ElectedWorker:
        settings = ClusterSettings(
            address=Address(host="db", port=1, password="the-password"),
            name="test",
            gateway=name,
            key=bytes(32),
        )
        cluster = SimpleNamespace(
            settings=settings,
            names=NAMES,
            talk=FakeLink(self.redis),
            gateway=name,
            incarnation="1",
            token=int,
            reads=lambda: True,
        )
        made = ElectedWorker(self.clock, cluster, Terms(45))
        made.cluster_parts = cluster
        made.supervisor = Supervisor(f"what {name} knows".encode())
        made.startService()
        return made

    def up(self, gateway: ElectedWorker) -> None:
        gateway.cluster_parts.talk.up()
        self.pass_time(0.5)

    def pass_time(self, seconds: float) -> None:
        self.clock.pump([0.25] * int(seconds * 4))

    def test_a_worker_may_start_with_the_lease(self) -> None:
        hold = self.a.hold()
        self.assertEqual(hold.reason, "the cluster's log does not answer")
        self.assertTrue(hold.is_open)
        self.up(self.a)
        self.assertIsNone(self.a.hold())
        self.assertEqual(self.a.supervisor.lives[-1], 43.0)
        self.assertEqual(self.a.cluster_parts.token(), 7)

    def test_the_others_say_who_has_it(self) -> None:
        self.up(self.a)
        self.up(self.b)
        self.assertEqual(self.b.hold().reason, "gateway a has the worker")
        self.assertEqual((self.b.holder, self.b.leads(), self.b.token()), ("a", False, 0))
        self.assertEqual(self.b.supervisor.lives, [])

    def test_the_status_tells_how_long_the_lease_lasts_and_when_it_was_renewed(self) -> None:
        nothing = {"seconds": 45, "token": None, "renewed": None, "left": None}
        self.assertEqual(self.a.status(), nothing)
        self.up(self.a)
        self.up(self.b)
        self.a.cluster_parts.talk.down()
        before = [each.status() for each in (self.a, self.b)]
        self.pass_time(10)
        for each, was, last in zip((self.a, self.b), before, (43, 45), strict=True):
            told = each.status()
            self.assertEqual((told["token"], told["seconds"]), (7, 45))
            self.assertEqual(told["renewed"], was["renewed"] + 10)
            self.assertEqual(told["renewed"] + told["left"], last, "its right, or our wait")

    def test_before_anybody_has_it_that_is_said(self) -> None:
        self.redis.record = None
        self.up(self.a)
        self.assertIn("has not agreed yet", self.a.hold().reason)

    def test_a_guardian_gets_the_deadline_and_what_gives_the_lease_back(self) -> None:
        self.up(self.a)
        lease = self.a.lease()
        self.assertEqual((lease["until"], lease["patience"]), (43.0, (10, 5, 1)))
        self.assertIn('"holder": "a.1"', lease["after"]["input"])
        self.assertNotIn("the-password", " ".join(lease["after"]["argv"]))
        self.assertEqual(self.b.lease()["until"], 0.0)

    def test_no_worker_is_started_so_late_that_it_would_have_to_end(self) -> None:
        self.up(self.a)
        self.a.cluster_parts.talk.down()
        self.pass_time(25)
        self.assertIsNone(self.a.hold())
        self.pass_time(3)
        self.assertIsNotNone(self.a.hold())
        self.assertTrue(self.a.leads(), "the one that runs has its time")
        self.pass_time(15)
        self.assertIsNone(self.a.supervisor.lives[-1])

    def test_the_next_one_knows_what_the_one_before_knew(self) -> None:
        self.up(self.a)
        self.up(self.b)
        self.assertEqual(self.a.supervisor.learnt, [])
        self.successResultOf(self.a.stopService())
        self.pass_time(4)
        self.assertEqual(self.b.supervisor.learnt, [b"what a knows"])
        self.assertIsNone(self.b.hold())
        self.assertNotIn(b"knows", self.redis.texts[NAMES.keys])

    def test_who_is_told_of_a_release_takes_it_at_once(self) -> None:
        self.up(self.a)
        self.up(self.b)
        told = []
        self.a.on_release = lambda: told.append("a")
        self.b.on_release = lambda: told.append("b")
        self.successResultOf(self.a.stopService())
        self.assertFalse(self.b.leads(), "it looks again in half a second")
        self.b.look()
        self.assertTrue(self.b.leads())
        other = self.gateway("c")
        other.on_release = lambda: told.append("c")
        self.successResultOf(other.stopService())
        self.assertEqual(told, ["a"], "who has nothing to give back says nothing")

    def test_it_starts_no_worker_before_it_knows(self) -> None:
        asked = []
        self.a._inheritance.read = lambda heard, failed: asked.append(heard)
        self.up(self.a)
        self.assertIn("is being read", self.a.hold().reason)
        self.pass_time(3)
        self.assertEqual(len(asked), 2, "once more, with the next beat")
        asked[0](None)
        self.assertIsNone(self.a.hold())

    def test_what_others_have_written_there_is_not_believed(self) -> None:
        self.redis.texts[NAMES.keys] = b"nonsense of somebody who has no key of the cluster"
        self.up(self.a)
        self.assertEqual(self.a.supervisor.learnt, [])
        self.assertIsNone(self.a.hold())

    def test_a_worker_that_is_taken_over_goes_on_with_its_lease(self) -> None:
        self.up(self.a)
        told = self.a.told()
        after = self.gateway("a")
        after.resume(told, 40.0)
        self.assertIsNone(after.hold())
        self.up(after)
        self.assertEqual(self.redis.record.holder, "a.1")
        self.assertGreater(after.supervisor.lives[-1], 40.0)
        self.assertRaises(ValueError, after.resume, {}, 40.0)

    def test_a_supervisor_that_fails_costs_no_renewal(self) -> None:
        self.up(self.a)
        self.a.supervisor.may_live = lambda _: 1 // 0
        self.pass_time(100)
        self.assertTrue(self.a.leads())
        self.assertTrue(self.flushLoggedErrors(ZeroDivisionError))
