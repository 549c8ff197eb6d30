"""The supervisor as the routes and the relay see it, with real workers."""

from __future__ import annotations

import json
import os
import signal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psutil
from twisted.internet.defer import gatherResults
from twisted.logger import globalLogPublisher

from gateway.worker.errors import (
    CredentialsError,
    LaunchError,
    NotReadyError,
    PausedError,
    SupersededError,
)

from .real import CHILDREN, RealTestCase, outcome, soon

if TYPE_CHECKING:
    from gateway.worker.supervisor import Supervisor

AWKWARD = " #'\"=$ {} ${HOME} `id` \\ \\n 臺指期 \t"
"""What a key may hold."""


def posted(**changes: Any) -> SimpleNamespace:
    given = {
        "api_key": "API-abcdefghijklmnop",
        "secret_key": "SECRET-abcdefghijklmnop",
        "ca_cert_path": __file__,
        "ca_password": "A123456789",
    }
    return SimpleNamespace(**{**given, **changes})


class OutputTests(RealTestCase):
    def logged(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        return events

    async def test_lines_are_logged_with_the_tag_of_their_stream(self) -> None:
        events = self.logged()
        supervisor = self.supervisor("ending.py", "3", "0.3", fatal_after=1)
        supervisor.start()
        await self.is_told("fatal")
        found = [event for event in events if event.get("tag") == "Python stderr"]
        self.assertEqual([event["line"] for event in found], ["the last words"])
        self.assertIn("Python", {event.get("tag") for event in events})

    async def test_p9_an_endless_line_costs_little(self) -> None:
        supervisor = self.supervisor("output.py", "endless=300")
        before = psutil.Process().memory_info().rss
        supervisor.start()
        most = 0

        def measured() -> bool:
            nonlocal most
            most = max(most, psutil.Process().memory_info().rss)
            return bool(self.noted("endless"))

        await soon(measured)
        self.assertLess(most - before, 16 << 20)
        await supervisor.stop()
        (line,) = [line for line in supervisor.log_tail(100) if "stdout" in line]
        self.assertLess(len(line), 9000)
        self.assertIn(f"({(300 << 20) - 8192} more bytes)", line)

    async def test_p10_garbage_forges_nothing(self) -> None:
        supervisor = self.supervisor("output.py", "garbage")
        await self.up(supervisor, "garbage")
        await soon(lambda: len(supervisor.log_tail(9)) == 2)
        broken, cjk = (line.partition("] ")[2] for line in supervisor.log_tail(9))
        self.assertEqual(broken, r"\xff\xfe broken\x00 \x1b[31mred\x1b[0m\x0d[Config] forged")
        self.assertEqual(cjk, r"臺指期 \xe8")

    async def test_a_flood_of_lines_is_cut_and_counted_but_the_last_ones_are_told(self) -> None:
        supervisor = self.supervisor("output.py", "many=50000", line_burst=100, line_rate=1.0)
        await self.up(supervisor, "many")
        os.kill(supervisor.pid, signal.SIGKILL)
        event = await self.is_told("exited")
        self.assertEqual(event["stderr"][-1], "line 49999")
        self.assertEqual(len(event["stderr"]), 20)
        tail = supervisor.log_tail(1000)
        self.assertLess(len(tail), 200)
        self.assertTrue(any("lines dropped" in line for line in tail))

    async def test_c8_a_worker_that_prints_its_keys_is_redacted(self) -> None:
        events = self.logged()
        keys = posted(secret_key="quo'te\\d-" + AWKWARD)
        supervisor = self.supervisor("output.py", "key")
        supervisor.start()
        await supervisor.set_credentials(keys)
        await soon(
            lambda: len(supervisor.log_tail(99)) >= 2 and "password" in str(supervisor.log_tail(99))
        )
        os.kill(supervisor.pid, signal.SIGKILL)
        await self.is_told("backoff")
        everything = "".join(
            [
                json.dumps([supervisor.status(), supervisor.health(), self.events]),
                *supervisor.log_tail(1000),
                *(str(event) for event in events),
                *(
                    str(psutil.Process(pid).cmdline())
                    for pid in psutil.pids()
                    if pid == os.getpid()
                ),
            ]
        )
        self.assertIn("[redacted]", everything)
        for secret in (keys.api_key, keys.secret_key, keys.ca_password):
            self.assertNotIn(secret[:8], everything)


class EnvironmentTests(RealTestCase):
    def dumping(self, **changes: Any) -> Supervisor:
        environ = {"STALE": "yes", "SJ_KEY": "stale-stale", **changes.pop("environ", {})}
        made = self.supervisor("environment.py", **changes, environ=environ)
        self.dump = self.folder / "dump"
        return made

    async def facts(self) -> dict[str, Any]:
        await soon(self.dump.exists)
        facts = json.loads(self.dump.read_text())
        self.dump.unlink()
        return facts

    async def test_the_worker_is_started_as_the_contract_says(self) -> None:
        supervisor = self.dumping(
            arguments=("--rate", "5"),
            demo=True,
            withhold=("SECRET_TOKEN",),
            environ={"SECRET_TOKEN": "x", "NOTIFY_SOCKET": "/x", "SIMULATION": "true"},
        )
        supervisor.start("http://127.0.0.1:4001")
        facts = await self.facts()
        self.assertEqual(facts["argv"][1:], ["--demo", "--rate", "5"])
        self.assertEqual(facts["cwd"], str(CHILDREN))
        environ = facts["env"]
        self.assertEqual(environ["GATEWAY_URL"], "http://127.0.0.1:4001")
        self.assertEqual(environ["SOCKET_HUB"], "http://127.0.0.1:4001")
        self.assertEqual(environ["PYTHONUNBUFFERED"], "1")
        self.assertEqual(environ["PYTHONIOENCODING"], "utf-8")
        self.assertEqual((environ["STALE"], environ["SIMULATION"]), ("yes", "true"))
        self.assertNotIn("SECRET_TOKEN", environ)
        self.assertNotIn("NOTIFY_SOCKET", environ)
        for name in ("API_KEY", "SJ_KEY", "SJ_API_KEY"):
            self.assertEqual(environ[name], "stale-stale")
        self.assertNotIn("SECRET_KEY", environ)

    async def test_c2_c6_posted_keys_arrive_exactly_and_win(self) -> None:
        supervisor = self.dumping()
        keys = posted(api_key=AWKWARD + "1", secret_key=AWKWARD + "2", ca_password=AWKWARD + "3")
        supervisor.start()
        await self.facts()
        facts = await supervisor.set_credentials(keys)
        dumped = await self.facts()
        self.assertEqual(facts["newPid"], dumped["pid"])
        for value, names in (
            (keys.api_key, ("API_KEY", "SJ_KEY", "SJ_API_KEY")),
            (keys.secret_key, ("SECRET_KEY", "SJ_SEC", "SJ_SEC_KEY")),
            (keys.ca_cert_path, ("CA_CERT_PATH", "SJ_CA_PATH")),
            (keys.ca_password, ("CA_PASSWORD", "SJ_CA_PASSWD")),
        ):
            for name in names:
                self.assertEqual(dumped["env"][name], value)

    async def test_p14_the_last_keys_win(self) -> None:
        supervisor = self.dumping()
        supervisor.start()
        await self.facts()
        await gatherResults(
            [supervisor.set_credentials(posted(api_key=f"key-number-{n}")) for n in range(10)]
        )
        await soon(lambda: supervisor.state == "running")
        pid = supervisor.pid
        env = psutil.Process(pid).environ()
        self.assertEqual(env["API_KEY"], "key-number-9")

    async def test_keys_of_the_file_outlive_the_gateway(self) -> None:
        supervisor = self.dumping()
        file = self.folder / "private" / "keys.env"
        supervisor = self.dumping(credentials_file=file)
        supervisor.start()
        await supervisor.set_credentials(posted(api_key=AWKWARD + "kept"))
        await supervisor.stop()
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.assertEqual(file.parent.stat().st_mode & 0o777, 0o700)
        supervisor = self.dumping(credentials_file=file)
        supervisor.start()
        self.assertEqual((await self.facts())["env"]["API_KEY"], AWKWARD + "kept")

    async def test_there_are_no_core_dumps(self) -> None:
        supervisor = self.supervisor("polite.py")
        pid = await self.up(supervisor)
        self.assertEqual(psutil.Process(pid).rlimit(psutil.RLIMIT_CORE)[0], 0)

    async def test_keys_are_in_no_command_line_and_not_in_the_guardian(self) -> None:
        supervisor = self.supervisor("polite.py")
        supervisor.start()
        await supervisor.set_credentials(posted())
        for pid in (supervisor.pid, supervisor.guardian_pid):
            self.assertNotIn("abcdefgh", str(psutil.Process(pid).cmdline()))
        self.assertNotIn("abcdefgh", str(psutil.Process(supervisor.guardian_pid).environ()))
        self.assertNotIn("polite.py", str(psutil.Process(supervisor.guardian_pid).cmdline()))


class CredentialsTests(RealTestCase):
    async def test_c1_c3_c4_what_can_not_be_used_changes_nothing(self) -> None:
        supervisor = self.supervisor("polite.py")
        pid = await self.up(supervisor)
        for changes, field in (
            ({"api_key": "a\nb"}, "apiKey"),
            ({"secret_key": "a\rb"}, "secretKey"),
            ({"ca_password": "a\0b"}, "caPassword"),
            ({"api_key": ""}, "apiKey"),
            ({"api_key": 5}, "apiKey"),
            ({"ca_password": "\ud800"}, "caPassword"),
            ({"ca_cert_path": "no/such/file"}, "caCertPath"),
            ({"ca_cert_path": "/"}, "caCertPath"),
        ):
            with self.subTest(**changes):
                answer = supervisor.set_credentials(posted(**changes))
                error = await self.assertFailure(answer, CredentialsError)
                self.assertEqual(error.field, field)
        self.assertEqual(supervisor.pid, pid)
        await supervisor.restart()
        self.assertNotIn("API_KEY", psutil.Process(supervisor.pid).environ())

    async def test_a_relative_certificate_is_beside_main_py(self) -> None:
        supervisor = self.supervisor("polite.py")
        supervisor.start()
        await supervisor.set_credentials(posted(ca_cert_path="polite.py"))

    async def test_without_main_py_keys_are_refused_with_the_reason(self) -> None:
        supervisor = self.supervisor("no-such-main.py")
        supervisor.start()
        await self.assertFailure(supervisor.set_credentials(posted()), LaunchError)

    async def test_a_pause_keeps_the_keys_for_the_next_start(self) -> None:
        supervisor = self.supervisor("polite.py")
        await self.up(supervisor)
        supervisor.heard("python_error", {"error": "status_code 451"})
        error = await self.assertFailure(supervisor.set_credentials(posted()), PausedError)
        self.assertIn("the new keys are used then", error.details)
        await supervisor.restart(force=True)
        self.assertEqual(psutil.Process(supervisor.pid).environ()["API_KEY"], posted().api_key)

    async def test_wait_ready_answers_when_the_new_worker_is_ready(self) -> None:
        supervisor = self.supervisor("polite.py")
        first = await self.up(supervisor)
        supervisor.heard("shioaji_ready", {})
        answer = outcome(supervisor.set_credentials(posted(), wait_ready=True))
        await soon(lambda: len(self.noted("start")) == 2 and supervisor.state == "running")
        self.assertEqual(answer, [])
        supervisor.heard("python_error", {"error": "Connection refused"})
        self.assertEqual(answer, [])
        supervisor.heard("shioaji_ready", {})
        await soon(lambda: answer)
        self.assertEqual(answer[0]["oldPid"], first)
        self.assertTrue(supervisor.ready)

    async def test_wait_ready_puts_the_previous_keys_back_when_the_worker_complains(self) -> None:
        supervisor = self.supervisor("polite.py")
        await self.up(supervisor)
        await supervisor.set_credentials(posted(api_key="the-good-old-key"))
        answer = outcome(
            supervisor.set_credentials(posted(api_key="a-wrong-new-key"), wait_ready=True)
        )
        await soon(lambda: len(self.noted("start")) == 3 and supervisor.state == "running")
        supervisor.heard("python_error", {"error": "login failed for a-wrong-new-key"})
        await soon(lambda: answer)
        self.assertIsInstance(answer[0], NotReadyError)
        self.assertEqual(answer[0].details, "login failed for [redacted]")
        env = psutil.Process(supervisor.pid).environ()
        self.assertEqual(env["API_KEY"], "the-good-old-key")

    async def test_wait_ready_puts_the_previous_keys_back_when_the_worker_dies(self) -> None:
        supervisor = self.supervisor("ending.py", "4", "0.4", ready_timeout=30.0)
        answer = outcome(supervisor.set_credentials(posted(), wait_ready=True))
        await soon(lambda: answer)
        self.assertIsInstance(answer[0], NotReadyError)
        self.assertIn("code 4", answer[0].details)
        self.assertIn("the last words", answer[0].details)
        self.assertIsNone(supervisor._keys.current)

    async def test_wait_ready_gives_up_after_its_time(self) -> None:
        supervisor = self.supervisor("polite.py", ready_timeout=0.1)
        await self.up(supervisor)
        answer = supervisor.set_credentials(posted(), wait_ready=True)
        error = await self.assertFailure(answer, NotReadyError)
        self.assertIn("0.1 s", error.details)
        self.assertNotIn("API_KEY", psutil.Process(supervisor.pid).environ())

    async def test_wait_ready_in_a_pause_falls_back_when_that_is_over(self) -> None:
        supervisor = self.supervisor("polite.py")
        await self.up(supervisor)
        answer = outcome(supervisor.set_credentials(posted(), wait_ready=True))
        await soon(lambda: len(self.noted("start")) == 2 and supervisor.state == "running")
        supervisor.heard("python_error", {"error": "Too many connections", "code": 451})
        await soon(lambda: answer)
        self.assertIsInstance(answer[0], NotReadyError)
        self.assertEqual(supervisor.state, "backoff")
        self.assertGreater(self.events[-1]["nextStartIn"], 50)
        self.assertGreater(supervisor.status()["pausedFor"], 50)

    async def test_a_stop_while_someone_waits_for_ready_stays_a_stop(self) -> None:
        for moment in ("starting", "running"):
            with self.subTest(moment=moment):
                supervisor = self.supervisor("polite.py")
                await self.up(supervisor)
                answer = outcome(supervisor.set_credentials(posted(), wait_ready=True))
                await self.is_told(moment, 2)
                await supervisor.stop_worker()
                self.assertIsInstance(answer[0], SupersededError)
                self.assertEqual(supervisor.state, "stopped")

    async def test_later_keys_are_not_replaced_by_those_put_back(self) -> None:
        supervisor = self.supervisor("polite.py")
        await self.up(supervisor)
        early = outcome(supervisor.set_credentials(posted(api_key="early-keys"), wait_ready=True))
        await soon(lambda: len(self.noted("start")) == 2 and supervisor.state == "running")
        await supervisor.set_credentials(posted(api_key="later-keys"))
        await soon(lambda: early)
        self.assertIsInstance(early[0], SupersededError)
        self.assertEqual(psutil.Process(supervisor.pid).environ()["API_KEY"], "later-keys")


class HealthTests(RealTestCase):
    async def test_ready_is_what_the_worker_says_after_its_last_start(self) -> None:
        supervisor = self.supervisor("polite.py", heartbeat=0.05, heartbeats_late=2)
        await self.up(supervisor)
        self.assertFalse(supervisor.ready)
        supervisor.heard("shioaji_ready", {"status": "ok"})
        self.assertTrue(supervisor.ready)
        await soon(lambda: not supervisor.ready, "a late heartbeat")
        supervisor.heard("heartbeat", {})
        self.assertTrue(supervisor.ready)
        supervisor.gone()
        self.assertFalse(supervisor.ready)
        supervisor.heard("heartbeat", {})
        self.assertTrue(supervisor.ready)
        await supervisor.restart()
        self.assertFalse(supervisor.ready)

    async def test_the_watchdog_restarts_a_worker_whose_heartbeat_is_late(self) -> None:
        supervisor = self.supervisor("polite.py", heartbeat=0.1, watchdog=2, watchdog_grace=0.5)
        pid = await self.up(supervisor)
        await soon(lambda: len(self.noted("start")) == 2, "the watchdog")
        self.assertEqual(self.noted("finally"), [pid])

    async def test_a_word_from_the_worker_ends_its_start(self) -> None:
        supervisor = self.supervisor("polite.py", settle=60.0)
        supervisor.start()
        answer = outcome(supervisor.start_worker())
        await soon(lambda: self.noted("start"))
        self.assertEqual((answer, supervisor.running), ([], True))
        supervisor.heard("python_status", {"status": "starting"})
        self.assertEqual(supervisor.state, "running")
        self.assertEqual(answer, [{"pid": supervisor.pid}])

    async def test_status_tells_everything_as_json(self) -> None:
        supervisor = self.supervisor("polite.py", schedule=("40 8 * * 1-5",))
        pid = await self.up(supervisor)
        await supervisor.restart()
        status = json.loads(json.dumps(supervisor.status()))
        self.assertEqual((status["state"], status["pid"]), ("running", supervisor.pid))
        self.assertEqual((status["generation"], status["restarts"]), (2, 1))
        self.assertEqual((status["budget"]["used"], status["budget"]["limit"]), (2, 200))
        self.assertEqual((status["exits"][0]["pid"], status["exits"][0]["asked"]), (pid, True))
        self.assertEqual(status["lastExit"], status["exits"][0])
        self.assertGreater(status["memoryBytes"], 1 << 20)
        self.assertIn("T00:40:00.000Z", status["schedule"]["nextRestart"])
        self.assertGreaterEqual(status["uptime"], 0)

    async def test_events_have_all_keys_and_one_object(self) -> None:
        supervisor = self.supervisor("ending.py", "1", fatal_after=2)
        supervisor.start()
        await self.is_told("fatal")
        self.assertEqual({frozenset(event) for event in self.events}, {frozenset(self.events[0])})
        for event in self.events:
            json.dumps(event)
            self.assertRegex(event["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    async def test_a_broker_code_on_stderr_is_heard_at_once(self) -> None:
        supervisor = self.supervisor("output.py", "say=status_code: 451")
        await self.up(supervisor, "say")
        await self.assertFailure(supervisor.restart(), PausedError)
        self.assertTrue(supervisor.running)

    async def test_before_the_first_start_everything_answers(self) -> None:
        supervisor = self.supervisor("polite.py")
        supervisor.heard("shioaji_ready", {})
        supervisor.gone()
        self.assertEqual(
            (supervisor.running, supervisor.ready, supervisor.pid, supervisor.guardian_pid),
            (False, False, None, None),
        )
        self.assertEqual((supervisor.process_tree(), supervisor.log_tail(5)), (set(), []))
        self.assertEqual(supervisor.status()["state"], "stopped")
        self.assertIsNone(supervisor.health()["lastExit"])


class DevTests(RealTestCase):
    async def test_a_change_beside_main_py_restarts_the_worker(self) -> None:
        folder = self.new_folder()
        (folder / "main.py").write_text("import time; time.sleep(600)")
        supervisor = self.supervisor(folder / "main.py", dev=True)
        supervisor.start()
        await self.is_told("running")
        (folder / "helper.py").write_text("x = 1")
        await self.is_told("running", 2)


class LoggerTests(RealTestCase):
    async def test_a_ledger_that_can_not_be_kept_is_told_and_workers_run(self) -> None:
        blocked = self.new_folder() / "file"
        blocked.write_text("")
        supervisor = self.supervisor("polite.py", state_dir=blocked)
        await self.up(supervisor)
        self.assertEqual(supervisor.status()["budget"]["used"], 1)
