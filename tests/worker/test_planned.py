"""Workers that leave by their own clock, and workers that the kernel ends."""

from __future__ import annotations

import errno

from twisted.trial.unittest import SynchronousTestCase

from gateway.system.linux import Linux

from .simulated import Simulation


class EndTests(SynchronousTestCase):
    def world(self, lived: float, *, ready: bool = True) -> Simulation:
        world = Simulation(self, errno.EIO)
        world.supervisor.start()
        world.advance(4)
        if ready:
            world.supervisor.heard("shioaji_ready", {})
        world.advance(lived, step=4.0)
        return world

    def ended(self, world: Simulation, status: int) -> dict[str, object]:
        world.child.end(status)
        return next(event for event in world.told if event["status"] == "exited")

    def test_status_0_after_work_is_planned_and_followed_by_a_start(self) -> None:
        world = self.world(120)
        event = self.ended(world, 0)
        self.assertEqual(
            (event["class"], event["asked"], event["advice"]), ("planned", False, None)
        )
        world.advance(4)
        self.assertEqual(world.supervisor.state, "running")
        self.assertEqual(world.supervisor.status()["budget"]["used"], 2)

    def test_planned_ends_are_never_fatal(self) -> None:
        world = self.world(120)
        for _ in range(10):
            world.child.end(0)
            world.advance(4)
            world.supervisor.heard("shioaji_ready", {})
            world.advance(120, step=4.0)
        self.assertEqual(world.supervisor.state, "running")
        self.assertNotIn("fatal", [event["status"] for event in world.told])

    def test_sooner_or_before_it_was_ready_it_is_a_failure(self) -> None:
        for lived, ready in ((100, True), (200, False)):
            event = self.ended(self.world(lived, ready=ready), 0)
            self.assertEqual(event["class"], "other", (lived, ready))

    def test_a_word_of_the_broker_in_the_end_is_its_cause_and_no_reason_to_end_it(self) -> None:
        world = self.world(10, ready=False)
        ban = "StatusCode: 503, Detail: login is banned"
        world.child.say(f"{ban}\n")
        world.advance(4)
        world.child.say(ban)
        event = self.ended(world, 256)
        self.assertEqual((event["class"], event["asked"]), ("ban", False))
        self.assertEqual(world.supervisor.state, "backoff")

    def test_a_kill_by_the_kernel_for_memory_is_told(self) -> None:
        for kills, cause in ((7, "out-of-memory"), (6, "other")):
            counter = [6]
            self.patch(Linux, "memory_kills", lambda _, counter=counter: tuple(counter))
            world = self.world(10)
            counter[0] = kills
            self.assertEqual(self.ended(world, 9)["class"], cause)
