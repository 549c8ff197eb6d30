"""How the gateway passes wishes on to a replay, and lets it wait for clients that are behind."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import orjson
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.app.replay_control import (
    BEHIND,
    HELD,
    LOOK,
    MOST,
    PATIENCE,
    STALLED,
    ReplayControl,
)
from gateway.contract import WorkerError
from gateway.engineio.deadlines import Deadlines
from gateway.replay.wishes import Wish


class FakeClient:
    def __init__(self, lag: int = 0) -> None:
        self.lag = lag
        self.outbox = SimpleNamespace(progress=(0, 0))


class ReplayControlTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.deadlines = Deadlines(self.clock.seconds)
        self.worker = FakeClient()
        self.lived: list[Any] = []
        self.wents = 0
        self.runs = True
        self.apart: list[FakeClient] = []
        self.answers: list[dict[str, Any]] = []
        self.replay = ReplayControl(
            self.deadlines,
            {"files": ["day"], "loop": False},
            is_worker=lambda client: client is self.worker,
            runs=lambda: self.runs,
            lives=self.lived.append,
            went=self.went,
            apart=lambda: self.apart,
        )

    def went(self) -> None:
        self.wents += 1

    def passes(self, seconds: float) -> None:
        for _ in range(round(seconds / LOOK)):
            self.clock.advance(LOOK)
            self.deadlines.advance()

    def ask(self, client: Any = None, **told: Any) -> Any:
        question = {
            "begins": 0.0,
            "time": 0.0,
            "speed": 1,
            "paused": False,
            "ended": False,
            "pid": 7,
            "round": 1,
            "done": 0,
        }
        answer = lambda body: self.answers.append(orjson.loads(body))  # noqa: E731
        return self.replay.ask({**question, **told}, client or self.worker, answer)

    def test_a_question_is_answered_by_the_next_one_or_after_a_while(self) -> None:
        self.ask()
        self.passes(HELD / 2)
        self.assertEqual(self.answers, [])
        self.ask()
        self.assertEqual(self.answers, [{}])
        self.passes(HELD * 0.9)
        self.assertEqual(self.answers, [{}])
        self.passes(HELD * 0.2)
        self.assertEqual(self.answers, [{}, {}])
        self.assertEqual(self.lived, [self.worker] * 2)

    def test_nobody_else_may_ask(self) -> None:
        self.ask(FakeClient())
        self.assertIn("only the worker", self.answers[0]["error"])
        self.ask(time="now")
        self.assertIn("time", self.answers[1]["error"])
        self.assertEqual((self.lived, self.replay.status()["time"]), ([], None))

    def test_it_says_how_the_replay_is(self) -> None:
        self.ask(time=1796002200.0, speed="max", ended=True, round=3)
        wanted = {
            "files": ["day"],
            "loop": False,
            "begins": "1970-01-01T00:00:00.000Z",
            "time": "2026-11-30T01:30:00.000Z",
            "speed": "max",
            "paused": False,
            "ended": True,
            "round": 1,
        }
        self.assertEqual(self.replay.status(), wanted)

    def test_another_round_is_told_once(self) -> None:
        for number in (1, 1, 2, 2):
            self.ask(round=number)
        self.assertEqual((self.wents, self.replay.status()["round"]), (2, 2))
        self.ask(round=2, pid=8)  # another worker begins with the first event
        self.assertEqual((self.wents, self.replay.status()["round"]), (3, 3))

    def test_a_wish_is_passed_on_at_once_and_answered_when_it_is_done(self) -> None:
        self.ask()
        outcome = self.replay.command(Wish(speed="max", to="09:00"))
        (told,) = self.answers
        self.assertEqual((told["speed"], told["to"], told["paused"]), ("max", "09:00", None))
        self.assertNoResult(outcome)
        self.ask()
        self.assertNoResult(outcome)
        self.ask(done=told["number"], speed="max")
        self.assertEqual(self.successResultOf(outcome)["replaying"]["speed"], "max")

    def test_one_wish_is_under_way_at_a_time(self) -> None:
        outcomes = [self.replay.command(Wish(paused=paused)) for paused in (True, False)]
        self.ask()
        self.ask()
        self.assertEqual([each.get("paused") for each in self.answers], [True])
        self.ask(done=1)
        self.successResultOf(outcomes[0])
        self.assertEqual([each.get("paused") for each in self.answers if each], [True, False])
        self.ask(done=2)
        self.successResultOf(outcomes[1])

    def test_the_next_worker_is_told_what_the_last_one_did_not_do(self) -> None:
        cancel = self.ask()
        self.ask()
        outcome = self.replay.command(Wish(paused=True))
        cancel()
        self.ask()
        numbers = [each["number"] for each in self.answers if each]
        self.assertEqual(numbers, [1, 1])
        self.ask(done=1)
        self.successResultOf(outcome)

    def test_what_nobody_does_fails_and_so_do_too_many(self) -> None:
        outcomes = [self.replay.command(Wish(paused=True)) for _ in range(MOST)]
        self.assertRaises(WorkerError, self.replay.command, Wish(paused=True))
        self.passes(PATIENCE + 1)
        for outcome in outcomes:
            self.failureResultOf(outcome, WorkerError)
        self.ask()
        self.assertEqual(self.answers, [])

    def test_without_a_worker_a_wish_fails_at_once(self) -> None:
        self.runs = False
        self.assertRaisesRegex(
            WorkerError, "its worker does not run", self.replay.command, Wish(paused=True)
        )

    def test_with_max_it_waits_for_who_is_behind_and_reads(self) -> None:
        reader = FakeClient(BEHIND + 1)
        self.apart.append(reader)
        self.ask(speed="max")
        self.ask(speed="max")
        for step in range(5):
            reader.outbox.progress = (step, 0)
            self.passes(STALLED * 0.9)
            self.assertEqual(self.answers, [])
        reader.lag = BEHIND
        self.passes(2 * LOOK)
        self.assertEqual(self.answers[:1], [{}])

    def test_nobody_waits_for_who_does_not_read_nor_at_another_speed(self) -> None:
        self.apart.append(FakeClient(BEHIND + 1))
        self.ask(speed="max")
        self.ask(speed="max")
        self.passes(STALLED + 2 * LOOK)
        self.assertEqual(self.answers[:1], [{}])
        self.answers.clear()
        self.ask(speed=1000)
        self.ask(speed=1000)
        self.assertIn({}, self.answers)

    def test_a_wish_does_not_wait_for_who_is_behind(self) -> None:
        self.apart.append(FakeClient(BEHIND + 1))
        self.ask(speed="max")
        self.replay.command(Wish(speed=1.0))
        self.assertEqual(self.answers[0]["speed"], 1)
