"""The worker's tree by groups, sessions and ps, with processes that the test makes up."""

from __future__ import annotations

import os
import time

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.process.guarding import portable_tree
from gateway.worker.process.guarding.portable_tree import LOOK_INTERVAL, PortableTree
from tests.worker.real import alive

from .test_guardian import Guarded

OWN = os.getpid()
WORKER, CHILD, APART, BELOW, STRANGER = 51, 52, 53, 54, 55


class PortableTreeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.processes = {
            WORKER: (OWN, WORKER),
            CHILD: (WORKER, WORKER),
            APART: (WORKER, APART),
            BELOW: (APART, APART),
            STRANGER: (1, STRANGER),
        }
        self.sessions = {WORKER: WORKER, CHILD: WORKER, APART: APART, BELOW: APART}
        self.started: dict[int, float] = {}
        """By pid, where it is not the same as of all others."""
        self.fails: OSError | None = None
        self.looks = 0
        self.patch(portable_tree, "_processes", self.look)
        self.patch(os, "getsid", lambda pid: self.sessions.get(pid, pid))
        self.patch(os, "waitpid", self.wait)
        self.patch(time, "monotonic", lambda: self.now)
        self.now = 1000.0
        self.dead: list[tuple[int, int]] = []
        self.tree = PortableTree()
        self.tree.began(WORKER)

    def look(self) -> tuple[dict[int, int], dict[int, tuple[int, float]]]:
        self.looks += 1
        if self.fails:
            raise self.fails
        parents = {pid: parent for pid, (parent, _) in self.processes.items()}
        told = {
            pid: (group, self.started.get(pid, 990.0)) for pid, (_, group) in self.processes.items()
        }
        return parents, told

    def wait(self, pid: int, _: int) -> tuple[int, int]:
        return (0, 0) if pid in self.processes else (pid, 7)

    def gone(self, *pids: int) -> None:
        """They are, and the first process has what they leave."""
        for pid in pids:
            del self.processes[pid]
        for pid, (parent, group) in self.processes.items():
            if parent in pids:
                self.processes[pid] = (1, group)

    def reap(self) -> bool:
        self.now += LOOK_INTERVAL
        return self.tree.reap(lambda *end: self.dead.append(end))

    def test_all_below_the_worker_are_members_and_nobody_else(self) -> None:
        self.assertEqual(set(self.tree.members()), {WORKER, CHILD, APART, BELOW})

    def test_who_was_seen_is_waited_for_whoever_its_parent_is(self) -> None:
        self.tree.members()
        self.gone(WORKER, APART)
        self.assertTrue(self.reap())
        self.assertEqual(self.dead, [(WORKER, 7)])
        self.assertEqual(set(self.tree.members()), {CHILD, BELOW})
        self.gone(CHILD, BELOW)
        self.assertFalse(self.reap())
        self.assertEqual(len(self.dead), 1)

    def test_a_worker_that_is_dead_at_the_last_look_is_collected(self) -> None:
        alive = self.processes.pop(WORKER)
        self.tree.members()
        self.processes[WORKER] = alive
        self.assertTrue(self.reap())
        self.gone(WORKER)
        self.assertTrue(self.reap())
        self.assertEqual(self.dead, [(WORKER, 7)])

    def test_who_was_not_seen_is_found_by_the_session_alone(self) -> None:
        self.gone(WORKER)
        self.assertTrue(self.reap())
        self.assertEqual(self.tree.members(), [CHILD])

    def test_a_pid_that_is_used_again_is_somebody_else(self) -> None:
        self.tree.members()
        self.gone(WORKER, CHILD, APART, BELOW)
        self.processes[BELOW] = (1, BELOW)
        self.started[BELOW] = 1000.0
        self.sessions.clear()
        self.assertFalse(self.reap())

    def test_who_was_seen_and_leaves_its_group_later_is_not_forgotten(self) -> None:
        self.tree.members()
        self.gone(WORKER, APART, BELOW)
        self.processes[CHILD] = (1, CHILD)
        self.started[CHILD] = 990.9  # ps tells whole seconds
        self.sessions.clear()
        self.assertTrue(self.reap())
        self.assertEqual(self.tree.members(), [CHILD])

    def test_ages_as_ps_writes_them(self) -> None:
        ages = (b"04:05", b"03:04:05", b"12-03:04:05", b"00:00")
        self.assertEqual([*map(portable_tree._seconds, ages)], [245, 11045, 1047845, 0])

    def test_what_can_not_be_found_out_is_taken_for_unchanged(self) -> None:
        self.tree.members()
        self.gone(WORKER)
        self.fails = BlockingIOError("no process can be made")
        self.assertTrue(self.reap())
        self.assertEqual(set(self.tree.members()), {CHILD, APART, BELOW})

    def test_the_end_of_a_look_does_not_lead_to_the_next_one(self) -> None:
        """Each is a child that ends, which wakes the guardian."""
        self.gone(WORKER)
        self.reap()
        looks = self.looks
        self.tree.reap(lambda *_: None)
        self.assertEqual(self.looks, looks)


class PortableGuardianTests(SynchronousTestCase):
    def test_those_who_ignore_everything_are_gone_when_the_guardian_is(self) -> None:
        guarded = Guarded()
        self.addCleanup(guarded.close)
        guarded.start(
            "family.py",
            "3",
            system="portable",
            patience=[0.1, 0.2, 0.2],
            env={"JOURNAL": "/dev/stdout"},
        )
        text = b""
        while text.count(b"\n") < 4:
            text += os.read(guarded.output, 4096)
        guarded.say("stop")
        self.assertIn("exited", guarded.rest()[-1])
        family = [int(line.split()[1]) for line in text.decode().splitlines()]
        self.assertEqual(list(filter(alive, family)), [])
