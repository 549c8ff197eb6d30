"""What people are told."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.lifecycle.exits import Exit, History
from gateway.worker.lifecycle.gate import Hold
from gateway.worker.report import WORDS, Reporter

from .fakes import MONDAY


class ReporterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.run = SimpleNamespace(
            exit=Exit(pid=7, code=3, lived=1.23456),
            alive=False,
            pid=7,
            cause="network",
            last_words=["short", "x" * 10_000],
        )
        self.keeper = SimpleNamespace(
            state="backoff",
            run=self.run,
            generation=4,
            since=MONDAY,
            next_start=(MONDAY + 1, 1.0),
            held_by="",
            history=History(),
        )
        self.limits = SimpleNamespace(
            budget=lambda: {"used": 4}, hold=lambda *, person: Hold("because", 30.0)
        )
        self.reporter = Reporter(self.keeper, self.limits)

    def message(self, status: str, **changes: object) -> str:
        vars(self.run).update(changes)
        return self.reporter.event(MONDAY, status)["message"]

    def test_what_else_stands_against_a_start_is_said(self) -> None:
        self.keeper.held_by = "the previous worker is logging out"
        self.assertEqual(
            self.message("backoff"),
            "The worker is to start in 1.0 s: it exited with code 3 (network);"
            " the previous worker is logging out",
        )
        self.keeper.run = None
        self.assertEqual(
            self.message("backoff"),
            "The worker is to start in 1.0 s: the previous worker is logging out",
        )
        self.assertEqual(
            self.reporter.status(MONDAY)["heldBy"], "the previous worker is logging out"
        )

    def test_an_event_after_an_exit(self) -> None:
        event = self.reporter.event(MONDAY, "backoff")
        advice = event.pop("advice")
        self.assertIn("tried again", advice)
        self.assertEqual(
            event,
            {
                "status": "backoff",
                "message": "The worker is to start in 1.0 s: it exited with code 3 (network)",
                "pid": None,
                "generation": 4,
                "exitCode": 3,
                "signal": None,
                "asked": False,
                "class": "network",
                "stderr": ["short", "x" * WORDS],
                "nextStartAt": "2024-03-04T00:00:01.000Z",
                "nextStartIn": 1.0,
                "restarts": 3,
                "budget": {"used": 4},
                "timestamp": "2024-03-04T00:00:00.000Z",
            },
        )

    def test_a_running_worker_has_no_exit(self) -> None:
        self.keeper.next_start = None
        vars(self.run).update(exit=None, alive=True, cause=None)
        event = self.reporter.event(MONDAY, "running")
        self.assertEqual((event["pid"], event["message"]), (7, "The worker is running"))
        for key in ("exitCode", "signal", "asked", "class", "advice", "nextStartAt"):
            self.assertIsNone(event[key])
        self.assertEqual(event["stderr"], [])

    def test_messages(self) -> None:
        self.keeper.next_start = None
        self.assertEqual(self.message("exited"), "The worker exited with code 3 (network)")
        self.assertEqual(self.message("stopped", cause=None), "The worker is stopped")
        self.assertEqual(
            self.message("fatal", exit=Exit(pid=None, failure="main.py is missing")),
            "The worker stays down until someone starts it: it was not started: main.py is missing",
        )

    def test_health_and_status(self) -> None:
        self.assertIsNone(self.reporter.health()["lastExit"])
        self.keeper.history.add(MONDAY, self.run.exit, "network")
        last = self.reporter.health()["lastExit"]
        self.assertEqual((last["code"], last["class"], last["lived"]), (3, "network", 1.235))
        status = self.reporter.status(MONDAY)
        self.assertEqual(status["exits"], [last])
        self.assertEqual((status["pausedFor"], status["nextStartIn"]), (30.0, 1.0))

    def test_a_worker_that_is_down_for_want_of_a_session_says_when_it_starts(self) -> None:
        self.keeper.next_start, self.keeper.state = None, "stopped"
        reporter = Reporter(self.keeper, self.limits, lambda: MONDAY + 1800)
        event = reporter.event(MONDAY, "stopped")
        self.assertIn("until its session opens: 2024-03-04T00:30:00", event["message"])
        self.assertEqual(
            (event["nextStartIn"], event["nextStartAt"][:16]), (1800, "2024-03-04T00:30")
        )
        self.assertEqual(reporter.status(MONDAY)["nextStartIn"], 1800)
