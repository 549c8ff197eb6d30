"""Workers and the broker's refusals, with the stand-ins of shioaji."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gateway.contract import PausedError
from gateway.rehearsal.plan import environment
from gateway.rehearsal.script import parse
from tests.rehearsal.recorded import day

from .real import CHILDREN, SHORT, RealTestCase, soon

if TYPE_CHECKING:
    from gateway.worker.supervisor import Supervisor

STAND_INS = CHILDREN.parent / "stand_ins"


class BrokerTests(RealTestCase):
    def trader(self, version: str = "1_2", **changes: object) -> Supervisor:
        paths = (STAND_INS, STAND_INS / f"shioaji_{version}")
        environ = {"PYTHONPATH": os.pathsep.join(map(str, paths)), **changes.pop("environ", {})}
        return self.supervisor("trader.py", environ=environ, **changes)

    async def test_451_and_503_impose_pauses(self) -> None:
        for code, cause in (("451", "too-many-connections"), ("503", "ban")):
            with self.subTest(code=code):
                supervisor = self.trader(environ={"STAND_IN_LOGIN": code})
                supervisor.start()
                event = await self.is_told("backoff")
                self.assertEqual(event["class"], cause)
                self.assertGreater(event["nextStartIn"], 55)
                self.assertIn(
                    code, (await self.assertFailure(supervisor.restart(), PausedError)).details
                )
                self.assertEqual(len(self.noted("start")), 1)
                supervisor.restart(force=True).addErrback(lambda _: None)
                later = await self.is_told("backoff", 2)
                self.assertGreater(later["nextStartIn"], 115)
                await supervisor.stop()

    async def test_without_a_network_it_is_tried_again_and_again(self) -> None:
        supervisor = self.trader(environ={"STAND_IN_LOGIN": "connection"}, fatal_after=2)
        supervisor.start()
        event = await self.is_told("backoff", 3)
        self.assertEqual(event["class"], "network")

    async def test_a_worker_for_1_2_with_1_7_ends_in_fatal_with_the_reason(self) -> None:
        supervisor = self.trader("1_7", fatal_after=2)
        supervisor.start()
        event = await self.is_told("fatal")
        self.assertEqual(event["class"], "version-mismatch")
        self.assertIn("update", event["advice"])

    async def test_a_login_that_holds_signals_back_is_waited_for_and_logged_out(self) -> None:
        journal = str(self.new_folder() / "broker")
        environ = {"STAND_IN_BLOCK": "1", "STAND_IN_JOURNAL": journal}
        supervisor = self.trader(environ=environ)
        supervisor.start()
        await soon(lambda: self.noted("start") and supervisor.state == "running")
        facts = await supervisor.stop_worker()
        self.assertEqual((facts["ended"]["signal"], facts["ended"]["exitCode"]), ("SIGINT", 0))
        self.assertEqual(len(self.noted("finally")), 1)

    async def test_the_watchdog_ends_one_that_hangs_and_the_next_one_goes_on(self) -> None:
        folder = self.new_folder()
        given = environment(
            day(folder / "day.jsonl.zst", 60, each=1),
            faults=parse("09:00:01 hang 4000"),
            shioaji="1.2",
            speed=1.0,
            state=folder,
            environ=os.environ,
            variables={},
        )
        changes = {"heartbeat": 1.0, "watchdog": 2, "watchdog_grace": 0.0, **SHORT}
        supervisor = self.supervisor("trader.py", environ=given, **changes)
        supervisor.start()
        notes = folder / "notes"

        def hangs() -> bool:
            supervisor.heard("heartbeat", {})
            return notes.exists() and "hang" in notes.read_text()

        await soon(hangs, "the fault")
        await soon(lambda: len(self.noted("in")) == 2, "the next login")
        ended = supervisor.status()["exits"][0]
        self.assertEqual((ended["pid"], ended["signal"]), (self.noted("in")[0], "SIGTERM"))
        self.assertEqual(self.noted("finally"), [])
        self.assertEqual(notes.read_text().count("began"), 1)

    async def test_a_pause_is_heard_on_stdout_in_colours_behind_a_progress_bar(self) -> None:
        supervisor = self.supervisor("refused.py", "stdout", backoff_first=0.1)
        supervisor.start()
        event = await self.is_told("backoff")
        self.assertEqual(event["class"], "ban")
        self.assertGreater(event["nextStartIn"], 55)
        self.assertEqual(len(self.noted("start")), 1)

    async def test_one_that_logs_in_again_by_itself_is_stopped_for_the_pause(self) -> None:
        supervisor = self.supervisor("refused.py", "again")
        supervisor.start()
        event = await self.is_told("backoff")
        self.assertGreater(event["nextStartIn"], 50)
        self.assertIn("pause", event["message"])
        self.assertLessEqual(len(self.noted("login")), 20)  # it is heard late on a busy machine
        self.assertEqual(self.noted("finally"), self.noted("start"))

    async def test_one_that_is_ready_is_left_alone(self) -> None:
        supervisor = self.supervisor("refused.py", "again")
        await self.up(supervisor)
        supervisor.heard("shioaji_ready", {})
        await soon(lambda: len(self.noted("login")) >= 4)
        self.assertEqual((supervisor.state, self.noted("finally")), ("running", []))

    async def test_wrong_keys_are_tried_once(self) -> None:
        supervisor = self.supervisor("refused.py", "keys")
        supervisor.start()
        event = await self.is_told("fatal")
        self.assertEqual(event["class"], "authentication")
        self.assertEqual(len(self.noted("start")), 1)

    async def test_a_prompt_without_a_newline_is_seen(self) -> None:
        supervisor = self.supervisor("refused.py", "prompt")
        await self.up(supervisor)
        await soon(lambda: any("憑證密碼: " in line for line in supervisor.log_tail(9)))
