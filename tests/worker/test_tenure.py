"""A supervisor that shares the right to have a worker with other gateways."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.lifecycle.gate import Hold

from .simulated import Simulation

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY = timedelta(days=1)


class SharedTenure:
    """A right that the test gives and takes."""

    cluster = "desk"

    def __init__(self) -> None:
        self.until: float | None = None

    def hold(self, **_: bool) -> Hold | None:
        return Hold("gateway b has the worker", 20.0, is_open=True) if self.until is None else None

    def lease(self) -> Mapping[str, Any]:
        return {"until": self.until or 0.0, "patience": [10, 5, 1]}

    def told(self) -> Mapping[str, Any]:
        return {"token": 7}

    def resume(self, told: Mapping[str, Any], until: float) -> None:
        raise AssertionError


class TenureTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.tenure = SharedTenure()
        self.world = Simulation(self, 0, self.tenure)
        self.world.supervisor.start()
        self.world.advance(4)

    def may_live(self, until: float | None) -> None:
        self.tenure.until = until
        self.world.supervisor.may_live(until)
        self.world.advance(4)

    def test_no_worker_is_started_without_the_right(self) -> None:
        self.assertIsNone(self.world.child)
        self.assertEqual(self.world.supervisor.state, "backoff")
        words = "The worker is not started now: gateway b has the worker"
        self.assertEqual(self.world.told[-1]["message"], words)
        self.assertIsNone(self.world.told[-1]["nextStartAt"])

    def test_that_is_told_once(self) -> None:
        told = len(self.world.told)
        self.world.advance(100)
        self.assertEqual(len(self.world.told), told)

    def test_who_asks_for_one_is_told_why_there_is_none(self) -> None:
        (error,) = self.world.ask(self.world.supervisor.restart())
        self.assertEqual(error.details, "gateway b has the worker")

    def test_a_worker_is_started_with_it_and_its_guardian_knows_until_when(self) -> None:
        self.may_live(500.0)
        self.assertEqual(self.world.supervisor.state, "running")
        asked = self.world.child.asked
        self.assertEqual(asked["lease"], {"until": 500.0, "patience": [10, 5, 1]})
        self.assertEqual(asked["note"]["tenure"], {"token": 7})
        self.assertIn("cluster", asked["identity"])

    def test_a_longer_right_is_told_to_the_guardian(self) -> None:
        self.may_live(500.0)
        self.may_live(510.0)
        self.assertEqual(self.world.child.heard.count("lease 510.0"), 1)
        self.assertEqual(len(self.world.reactor.children), 1)

    def test_without_it_the_worker_ends_and_comes_again_with_it(self) -> None:
        self.may_live(500.0)
        self.may_live(None)
        self.assertIsNone(self.world.child)
        self.assertEqual(self.world.supervisor.state, "backoff")
        self.may_live(900.0)
        self.assertEqual(self.world.supervisor.state, "running")
        self.assertEqual(self.world.reactor.most, 1)

    def test_a_point_of_the_schedule_is_followed_once_by_whoever_has_the_right(self) -> None:
        other = SharedTenure()
        other.until = 500_000.0
        holder = Simulation(self, 0, other)
        holder.supervisor.start()
        holder.advance(200)
        for world in (holder, self.world):
            nine = datetime.fromtimestamp(world.reactor.wall(), ZoneInfo("Asia/Taipei")) + DAY
            nine = nine.replace(hour=8, minute=59, second=50)
            world.reactor.offset += nine.timestamp() - world.reactor.wall()
            world.advance(60, step=1)
        self.assertEqual(len(holder.reactor.children), 2, "it is restarted where it is")
        self.assertEqual(self.world.reactor.children, [])
        self.may_live(500_000.0)
        self.world.advance(300, step=1)
        self.assertEqual(len(self.world.reactor.children), 1, "nothing is made up for")

    def test_one_that_its_guardian_ends_in_time_is_no_failure(self) -> None:
        self.may_live(500.0)
        child = self.world.child
        self.tenure.until = None
        child.report("expired")
        child.report("sent SIGINT")
        child.end(0)
        self.world.advance(1)
        (end,) = [each.end for each in self.world.supervisor.last_exits]
        self.assertTrue(end.asked)
        self.assertEqual(self.world.supervisor.state, "backoff")

    def test_a_worker_that_is_just_started_gives_way_too(self) -> None:
        self.tenure.until = 500.0
        self.world.supervisor.may_live(500.0)
        self.may_live(None)
        self.assertIsNone(self.world.child)
