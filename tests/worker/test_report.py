"""What people are told."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from gateway.common.times import iso
from gateway.web.routes import schemas
from gateway.worker.lifecycle.exits import Exit, LastExits
from gateway.worker.lifecycle.gate import Hold
from gateway.worker.process.installed import Program
from gateway.worker.report import MAX_STDERR_LINE, WorkerReport

from .fakes import MONDAY, state


class WorkerReportTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.worker = SimpleNamespace(
            exit=Exit(pid=7, code=3, lived=1.23456, last_line="the last"),
            alive=False,
            pid=7,
            guardian=6,
            cause="network",
            last_stderr=["short", "x" * 10_000],
        )
        self.lifecycle = SimpleNamespace(
            state=state("backoff"),
            worker=self.worker,
            live_worker=None,
            generation=4,
            last_exits=LastExits(),
        )
        self.held("")
        self.limits = SimpleNamespace(
            budget=lambda: {"used": 4}, hold=lambda *, person: Hold("because", 30.0)
        )
        self.checks = SimpleNamespace(reopens=None, status=lambda: {})
        self.program: Program | None = None
        self.reporter = self.report()

    def report(self, **more: str) -> WorkerReport:
        return WorkerReport(
            self.lifecycle,
            self.limits,
            checks=self.checks,
            overdue=SimpleNamespace(status=lambda worker: {}),
            keys=SimpleNamespace(overridden=[]),
            usage=SimpleNamespace(of=lambda pid: {}),
            shown_url=lambda: "http://localhost:3001",
            program=lambda: self.program,
            **more,
        )

    def test_what_the_worker_is_made_of(self) -> None:
        self.assertIsNone(self.reporter.status(MONDAY)["program"])
        self.program = Program("/desk/main.py", "/desk/venv/bin/python", "3.11.7", {"shioaji": "1"})
        told = self.reporter.status(MONDAY)["program"]
        self.assertEqual(msgspec.convert(told, schemas.Program).packages, {"shioaji": "1"})
        self.assertEqual(set(told), {each.name for each in msgspec.structs.fields(schemas.Program)})

    def test_all_that_is_said_of_a_replay_says_so(self) -> None:
        for told in (
            self.report(mark="replay").event(MONDAY),
            self.report(mark="replay").health(),
            self.report(mark="replay").readiness(),
        ):
            self.assertIs(told["replay"], True)
        self.assertNotIn("replay", self.reporter.event(MONDAY))

    def held(self, reason: str) -> None:
        """The next start comes in a second."""
        self.lifecycle.state.plan(1.0, Hold(reason, 1.0) if reason else None)

    def message(self, status: str, **changes: object) -> str:
        vars(self.worker).update(changes)
        return self.reporter.event(MONDAY, status)["message"]

    def test_what_else_stands_against_a_start_is_said(self) -> None:
        self.held("the previous worker is logging out")
        self.assertEqual(
            self.message("backoff"),
            "The worker is to start in 1.0 s: it exited with code 3 (network);"
            " the previous worker is logging out",
        )
        self.lifecycle.worker = None
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
                "stderr": ["short", "x" * MAX_STDERR_LINE],
                "nextStartAt": "2024-03-04T00:00:01.000Z",
                "nextStartIn": 1.0,
                "restarts": 3,
                "budget": {"used": 4},
                "timestamp": "2024-03-04T00:00:00.000Z",
            },
        )

    def test_a_running_worker_has_no_exit(self) -> None:
        self.lifecycle.state = state("running")
        vars(self.worker).update(exit=None, alive=True, cause=None)
        event = self.reporter.event(MONDAY, "running")
        self.assertEqual((event["pid"], event["message"]), (7, "The worker is running"))
        for key in ("exitCode", "signal", "asked", "class", "advice", "nextStartAt"):
            self.assertIsNone(event[key])
        self.assertEqual(event["stderr"], [])

    def test_messages(self) -> None:
        self.lifecycle.state = state("running")
        self.assertEqual(self.message("exited"), "The worker exited with code 3 (network)")
        self.assertEqual(self.message("stopped", cause=None), "The worker is stopped")
        self.assertEqual(
            self.message("fatal", exit=Exit(pid=None, failure="main.py is missing")),
            "The worker stays down until someone starts it: it was not started: main.py is missing",
        )

    def test_a_worker_that_was_taken_over(self) -> None:
        self.lifecycle.state = state("running")
        vitals = SimpleNamespace(lived=600.0, ready=True, broker=None, broker_for=None)
        vars(self.worker).update(exit=None, alive=True, vitals=vitals, adopted=None)
        self.lifecycle.live_worker = self.worker
        self.assertEqual(self.message("running"), "The worker is running")
        self.assertIsNone(self.reporter.status(MONDAY)["adoptedAt"])
        self.worker.adopted = 500.0
        self.assertIn("taken over from the gateway before", self.message("running"))
        self.assertEqual(self.reporter.status(MONDAY)["adoptedAt"], iso(MONDAY - 100))

    def test_health_and_status(self) -> None:
        self.assertIsNone(self.reporter.health()["lastExit"])
        self.lifecycle.last_exits.add(MONDAY, self.worker.exit, "network")
        last = self.reporter.health()["lastExit"]
        self.assertEqual((last["code"], last["class"], last["lived"]), (3, "network", 1.235))
        status = self.reporter.status(MONDAY)
        self.assertNotIn("lastLine", last, "anybody may ask for the health")
        self.assertEqual(status["exits"], [{**last, "lastLine": "the last"}])
        self.assertEqual(status["lastExit"], status["exits"][0])
        self.assertEqual((status["pausedFor"], status["nextStartIn"]), (30.0, 1.0))

    def test_a_worker_that_is_down_for_want_of_a_session_says_when_it_starts(self) -> None:
        self.lifecycle.state = state("stopped")
        self.checks.reopens = MONDAY + 1800
        event = self.reporter.event(MONDAY, "stopped")
        self.assertIn("until its session opens: 2024-03-04T00:30:00", event["message"])
        self.assertEqual(
            (event["nextStartIn"], event["nextStartAt"][:16]), (1800, "2024-03-04T00:30")
        )
        self.assertEqual(self.reporter.status(MONDAY)["nextStartIn"], 1800)
