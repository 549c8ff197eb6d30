from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.deadlines import Deadlines
from gateway.market.freshness import SILENT
from gateway.ops.alerts.rules import STEADY_AFTER, AlertRules
from gateway.worker.lifecycle.classification import IMPOSING, QUOTA

if TYPE_CHECKING:
    from gateway.ops.alerts.rules import Alert

STATES = (
    "unready",
    "ready",
    "starting",
    "running",
    "stopping",
    "stopped",
    "exited",
    "backoff",
    "fatal",
)


def status(name: str, **changes: Any) -> dict[str, Any]:
    """What browsers are told: of a worker that nobody asked to end, if not said otherwise."""
    return {
        "status": name,
        "message": f"The worker is {name}",
        "pid": None,
        "generation": 1,
        "exitCode": 1,
        "signal": None,
        "asked": False,
        "class": "other",
        "nextStartAt": None,
        "restarts": 0,
        "budget": {"used": 9, "limit": 200, "remaining": 100},
        "stderr": ["Traceback", "ConnectionError: StatusCode: 451"],
        **changes,
    }


def feed(name: str, reason: str, market: str = "futures") -> dict[str, Any]:
    return {"status": name, "market": market, "reason": reason, "stale": []}


class RulesTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.deadlines = Deadlines(self.clock.seconds)
        self.alerts: list[Alert] = []
        self.rules = AlertRules(
            self.deadlines, lambda: 1708875000.0 + self.clock.seconds(), self.alerts.append
        )

    def worker(self, *names: str, **changes: Any) -> list[str]:
        """The kinds of the alerts that these states cause."""
        for name in names:
            self.rules.published("python_status", status(name, **changes))
        return self.kinds()

    def feed(self, *arguments: str) -> list[str]:
        self.rules.published("feed_status", feed(*arguments))
        return self.kinds()

    def wait(self, seconds: float) -> list[str]:
        self.clock.advance(seconds)
        self.deadlines.advance()
        return self.kinds()

    def kinds(self) -> list[str]:
        new, self.alerts[:] = list(self.alerts), []
        return [alert.kind for alert in new]


class ClosedTests(RulesTestCase):
    def test_a_market_that_closes_while_it_is_silent_has_not_recovered(self) -> None:
        self.assertEqual(self.feed("stale", SILENT), ["stale"])
        self.assertEqual(self.feed("closed", "the market is closed"), ["over"])
        self.assertEqual(self.feed("closed", "the market is closed"), [])
        self.assertEqual(self.feed("live", ""), [], "the next day is another one")
        self.assertEqual(self.feed("stale", SILENT), ["stale"])


class UnreadyTests(RulesTestCase):
    def test_a_worker_that_is_not_ready_is_news_and_that_it_is_ready_too(self) -> None:
        self.assertEqual(self.worker("starting", "running", "unready"), ["unready"])
        self.assertEqual(self.wait(STEADY_AFTER), [], "to run is not enough")
        self.assertEqual(self.worker("ready"), ["recovered"])

    def test_after_a_death_it_is_not_well_until_it_is_ready(self) -> None:
        self.assertEqual(self.worker("exited", "starting", "running"), ["died"])
        self.assertEqual(self.worker("unready"), ["unready"])
        self.assertEqual(self.wait(STEADY_AFTER), [])
        self.assertEqual(self.worker("exited", "starting", "running"), ["died"])
        self.assertEqual(self.worker("ready"), [])
        self.assertEqual(self.wait(STEADY_AFTER), ["recovered"])

    def test_who_stops_it_knows(self) -> None:
        self.worker("starting", "running", "unready")
        self.assertEqual(self.worker("stopping", "stopped", "starting", asked=True), ["over"])
        self.assertEqual(self.worker("unready"), ["unready"])


class WorkerTests(RulesTestCase):
    def test_nothing_is_said_of_a_normal_day(self) -> None:
        self.assertEqual(self.worker("starting", "running"), [])
        self.assertEqual(self.wait(STEADY_AFTER), [])
        self.assertEqual(self.worker("stopping", "exited", "starting", "running", asked=True), [])
        self.assertEqual(self.worker("stopping", "exited", "stopped", asked=True), [])
        self.assertEqual(self.wait(1000), [])

    def test_a_planned_end_is_no_death(self) -> None:
        planned = {"class": "planned"}
        self.worker("starting", "running")
        self.assertEqual(self.worker("exited", "backoff", "starting", "running", **planned), [])
        self.assertEqual(self.wait(STEADY_AFTER), [])

    def test_a_death_and_a_recovery(self) -> None:
        self.worker("starting", "running")
        self.assertEqual(self.worker("exited", "backoff", "starting", "running"), ["died"])
        self.assertEqual(self.wait(STEADY_AFTER - 1), [])
        self.assertEqual(self.wait(1), ["recovered"])
        self.assertEqual(self.worker("exited"), ["died"])

    def test_a_crash_loop_is_told_once_until_it_is_fatal(self) -> None:
        kinds = []
        for _ in range(4):
            kinds += self.worker("starting", "running", "exited", "backoff")
            kinds += self.wait(STEADY_AFTER / 2)
        self.assertEqual(kinds, ["died"])
        self.assertEqual(self.worker("starting", "exited", "fatal"), ["fatal"])

    def test_each_try_out_of_fatal_counts(self) -> None:
        self.worker("exited", "fatal")
        self.assertEqual(self.worker("starting", "exited", "fatal"), ["fatal"])
        self.assertEqual(self.worker("starting", "running"), [])
        self.assertEqual(self.wait(STEADY_AFTER), ["recovered"])

    def test_a_pause_that_the_broker_wants(self) -> None:
        for cause in (*IMPOSING, QUOTA):
            self.setUp()
            found = self.worker("exited", "backoff", **{"class": cause})
            self.assertEqual(found, ["died", "paused"], cause)
            found = self.worker("backoff", "starting", "exited", "backoff", **{"class": cause})
            self.assertEqual(found, [], "it is the same trouble")
            self.worker("starting", "running")
            self.assertEqual(self.wait(STEADY_AFTER), ["recovered"])

    def test_a_spent_budget(self) -> None:
        found = self.worker("exited", "backoff", budget={"remaining": 0})
        self.assertEqual(found, ["died", "paused"])

    def test_a_pause_that_the_gateway_finds_when_it_starts(self) -> None:
        unknown = {"asked": None, "class": None, "exitCode": None, "generation": 0}
        self.assertEqual(self.worker("backoff", **unknown), ["paused"])

    def test_a_pause_that_is_postponed_is_told_once(self) -> None:
        found = self.worker("exited", "backoff", "backoff", "backoff", **{"class": "ban"})
        self.assertEqual(found, ["died", "paused"])

    def test_who_stops_a_broken_worker_knows(self) -> None:
        for state in ("backoff", "fatal"):
            self.worker("exited", state)
            self.assertEqual(self.worker("stopped"), ["over"])
            self.assertEqual(self.worker("starting", "running"), [])
            self.assertEqual(self.wait(STEADY_AFTER), [])
            self.assertEqual(self.worker("exited"), ["died"], "and is told of the next time")

    def test_what_an_alert_holds(self) -> None:
        value = status("exited", message="The worker ended by SIGSEGV", signal="SIGSEGV", pid=7)
        self.rules.published("python_status", {**value, "stderr": ["before", "the last"]})
        (alert,) = self.alerts
        self.assertEqual((alert.kind, alert.subject), ("died", "worker"))
        self.assertEqual(alert.detail, "The worker ended by SIGSEGV")
        self.assertEqual(alert.timestamp, "2024-02-25T15:30:00.000Z")
        self.assertEqual((alert.facts["signal"], alert.facts["pid"]), ("SIGSEGV", 7))
        self.assertEqual(alert.facts["lastLine"], "the last")
        self.assertNotIn("before", str(alert))

    def test_a_recovery_tells_how_long_the_trouble_was(self) -> None:
        self.worker("running", "exited")
        self.wait(100)
        self.worker("starting", "running")
        self.wait(STEADY_AFTER - 1)
        self.clock.advance(1)
        self.deadlines.advance()
        (alert,) = self.alerts
        self.assertEqual(alert.facts, {"lasted": 100 + STEADY_AFTER})

    def test_trouble_that_somebody_ended_is_forgotten(self) -> None:
        self.worker("exited", "stopped")
        self.wait(1000)
        self.worker("exited", "running")
        self.clock.advance(STEADY_AFTER)
        self.deadlines.advance()
        (alert,) = self.alerts
        self.assertEqual(alert.facts, {"lasted": STEADY_AFTER})

    def test_sentences_are_bounded(self) -> None:
        self.rules.published("python_status", status("exited", message="x" * 5000))
        self.assertEqual(len(self.alerts[0].detail), 500)

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.tuples(st.sampled_from(STATES), st.booleans(), st.integers(0, 90))))
    def test_only_what_was_told_to_be_bad_recovers(
        self, steps: list[tuple[str, bool, int]]
    ) -> None:
        self.setUp()
        told = ["recovered"]
        for name, asked, seconds in steps:
            told += self.worker(name, asked=asked) + self.wait(seconds)
        self.assertNotIn(("recovered", "recovered"), list(pairwise(told)))


class FeedTests(RulesTestCase):
    def test_a_feed_that_falls_silent_and_comes_back(self) -> None:
        self.assertEqual(self.feed("stale", SILENT), ["stale"])
        self.assertEqual(self.feed("live", ""), ["recovered"])

    def test_of_a_feed_without_a_worker_nothing_is_said(self) -> None:
        self.assertEqual(self.feed("stale", "the worker is gone"), [])
        self.assertEqual(self.feed("live", ""), [])

    def test_each_market_for_itself(self) -> None:
        self.assertEqual(self.feed("stale", SILENT, "futures"), ["stale"])
        self.assertEqual(self.feed("live", "", "stocks"), [])
        self.feed("stale", SILENT, "stocks")
        self.rules.published("feed_status", feed("live", "", "futures"))
        (alert,) = self.alerts
        self.assertEqual((alert.kind, alert.subject), ("recovered", "futures"))
        self.assertIn("futures", alert.detail)

    def test_other_events_are_none_of_our_business(self) -> None:
        self.rules.published("market_tick", {"code": "TXFR1"})
        self.assertEqual(self.alerts, [])


class RecordingTests(RulesTestCase):
    def test_a_recording_that_fails_and_goes_on(self) -> None:
        self.rules.recording("No space left on device", 0)
        self.rules.recording("", 12)
        self.rules.recording("", 0)
        told = [(each.kind, each.subject, each.detail, each.facts) for each in self.alerts]
        self.assertEqual(
            told,
            [
                (
                    "unrecorded",
                    "recording",
                    "No space left on device; so far no event is missing",
                    {"lost": 0},
                ),
                (
                    "recovered",
                    "recording",
                    "recording goes on; 12 events are missing",
                    {"lost": 12, "lasted": 0.0},
                ),
                (
                    "recovered",
                    "recording",
                    "recording goes on; no event is missing",
                    {"lost": 0},
                ),
            ],
        )


class BarsTests(RulesTestCase):
    def test_a_shared_log_that_does_not_answer_and_answers_again(self) -> None:
        self.rules.cluster("refused")
        self.rules.cluster("")
        told = [(each.kind, each.subject) for each in self.alerts]
        self.assertEqual(told, [("severed", "cluster"), ("recovered", "cluster")])

    def test_bars_that_can_not_be_written_and_are_written_again(self) -> None:
        self.rules.bars("database or disk is full")
        self.rules.bars("")
        told = [(each.kind, each.subject, each.detail) for each in self.alerts]
        self.assertEqual(
            told,
            [
                ("unkept", "bars", "bars: database or disk is full"),
                ("recovered", "bars", "bars are written again"),
            ],
        )
