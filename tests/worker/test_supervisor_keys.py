"""Keys and environment, with real workers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psutil
from twisted.internet.defer import gatherResults

from gateway.common.credentials import CredentialsError
from gateway.contract import LaunchError, NotReadyError, PausedError, SupersededError
from tests.patience import PATIENCE

from .posted import AWKWARD, posted
from .real import CHILDREN, RealTestCase, outcome, soon

if TYPE_CHECKING:
    from gateway.worker.supervisor import Supervisor


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
            mark="demo",
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
        self.assertEqual(
            environ["SJGATEWAY_STATE_DIR"], str(supervisor._settings.state_dir.absolute())
        )
        self.assertEqual(environ["PYTHONUNBUFFERED"], "1")
        self.assertEqual(environ["PYTHONIOENCODING"], "utf-8")
        self.assertEqual((environ["STALE"], environ["SIMULATION"]), ("yes", "true"))
        self.assertNotIn("SECRET_TOKEN", environ)
        self.assertNotIn("NOTIFY_SOCKET", environ)
        for name in ("API_KEY", "SJ_KEY", "SJ_API_KEY"):
            self.assertEqual(environ[name], "stale-stale")
        self.assertNotIn("SECRET_KEY", environ)

    async def test_posted_keys_arrive_exactly_and_win(self) -> None:
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

    async def test_the_last_keys_win(self) -> None:
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
    async def test_a_relative_certificate_is_from_the_workers_folder(self) -> None:
        work = self.new_folder()
        (work / "ca.pfx").write_bytes(b"0")
        supervisor = self.supervisor("polite.py", cwd=work)
        await self.up(supervisor)
        await supervisor.set_credentials(posted(ca_cert_path="ca.pfx"))
        elsewhere = self.supervisor("polite.py")
        await self.assertFailure(
            elsewhere.set_credentials(posted(ca_cert_path="ca.pfx")), CredentialsError
        )

    async def test_a_certificate_that_can_not_be_read_changes_nothing(self) -> None:
        supervisor = self.supervisor("polite.py")
        pid = await self.up(supervisor)
        for path in ("no/such/file", "/"):
            with self.subTest(path=path):
                answer = supervisor.set_credentials(posted(ca_cert_path=path))
                error = await self.assertFailure(answer, CredentialsError)
                self.assertEqual(error.field, "caCertPath")
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
        await soon(lambda: len(self.noted("start")) == 2)  # else it may be ended before
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
        file = self.new_folder() / "keys.env"
        supervisor = self.supervisor(
            "ending.py", "4", "go", ready_timeout=2.0 * PATIENCE, credentials_file=file
        )
        answer = outcome(supervisor.set_credentials(posted(), wait_ready=True))
        await soon(lambda: supervisor.state == "running")
        (self.folder / "go").touch()
        await soon(lambda: answer)
        self.assertIsInstance(answer[0], NotReadyError)
        self.assertIn("code 4", answer[0].details)
        self.assertIn("the last words", answer[0].details)
        self.assertFalse(file.exists(), "as it was before")

    async def test_a_complaint_about_one_contract_does_not_cost_the_new_keys(self) -> None:
        supervisor = self.supervisor("polite.py")
        supervisor.start()
        keys = posted(ca_cert_path="", ca_password="")
        answer = outcome(supervisor.set_credentials(keys, wait_ready=True))
        await soon(lambda: self.noted("start") and supervisor.state == "running")
        for error in ("LookupError: no contract TXO99999A1", "KeyError: 'TXFL6'"):
            supervisor.heard("python_error", {"error": error, "service": "contracts"})
        self.assertEqual(answer, [])
        supervisor.heard("shioaji_ready", {})
        await soon(lambda: answer)
        env = psutil.Process(supervisor.pid).environ()
        self.assertEqual(
            (answer[0]["newPid"], env["SHIOAJI_API_KEY"]), (supervisor.pid, keys.api_key)
        )
        self.assertNotIn("CA_CERT_PATH", env)
        self.assertNotIn("warning", answer[0])

    async def test_posted_keys_leave_the_certificate_to_the_environment(self) -> None:
        supervisor = self.supervisor("polite.py", environ={"CA_PATH": "mine.pfx"})
        supervisor.start()
        await supervisor.set_credentials(posted(ca_cert_path="", ca_password=""))
        env = psutil.Process(supervisor.pid).environ()
        self.assertEqual((env["CA_CERT_PATH"], env["SJ_CA_PATH"]), ("mine.pfx", "mine.pfx"))

    async def test_who_posts_keys_is_told_that_the_workers_own_file_wins(self) -> None:
        supervisor = self.supervisor("polite.py")
        main = self.folder / "main.py"
        main.write_text(
            "from dotenv import load_dotenv\nload_dotenv(override=True)\n"
            "import os, time\nprint(os.environ['API_KEY'], os.environ['BOT_TOKEN'])\n"
            "time.sleep(600)\n"
        )
        (self.folder / ".env").write_text("API_KEY=the-old-api-key\nBOT_TOKEN=the-bot-token\n")
        supervisor = self.supervisor(main)
        supervisor.start()
        answer = await supervisor.set_credentials(posted())
        self.assertIn("apiKey", answer["warning"])
        self.assertEqual(supervisor.status()["overriddenKeys"], ["apiKey"])
        await soon(lambda: supervisor.log_tail(1))
        self.assertIn("[redacted] [redacted]", supervisor.log_tail(1)[0])

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
