"""Workers of the family under the real gateway: a public one, unchanged, and our own."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

from tests.interop.service import ROOT, STAND_INS, Service, ServiceCase
from tests.patience import PATIENCE

PUBLIC = STAND_INS / "public_worker" / "main.py"
PUBLIC_URL = 'GATEWAY_URL = "http://localhost:3001"'
KEYS = {"API_KEY": "an-api-key-of-20-let", "SECRET_KEY": "a-secret-of-20-lette"}
STDERR = "[Python stderr]"
AWKWARD = "a#b \"c\" 'd' =e$f ${HOME} {g} \\h \\n `i` %j 密鑰 "
"""What breaks shells, .env files and JSON written by hand."""


class WorkersCase(ServiceCase):
    def public_worker(self) -> str:
        """The public worker as it is, but for the port; it can't be told one."""
        source = PUBLIC.read_text()
        self.assertEqual(source.count(PUBLIC_URL), 1)
        main = self.folder / "main.py"
        main.write_text(source.replace(PUBLIC_URL, PUBLIC_URL.replace("3001", str(self.port))))
        return f"--main={main}"

    def logins(self, service: Service, number: int) -> list[dict]:
        """The log-ins, once there are so many."""
        return service.until(
            f"log-in {number}",
            lambda: (
                len(found := service.journal("logged in")) >= number
                and service.journal("login")[: len(found)]
            ),
        )

    def assert_each_logged_out(self, service: Service, number: int) -> None:
        logged_in = [entry["pid"] for entry in service.journal("logged in")]
        logged_out = [entry["pid"] for entry in service.journal("logged out")]
        self.assertEqual(logged_in, logged_out)
        self.assertEqual(len(logged_in), number)


class PublicWorkerTests(WorkersCase):
    def check_it_runs(self, shioaji: str, version: str) -> None:
        service = self.run_service(self.public_worker(), shioaji=shioaji, **KEYS)
        browser = self.browser(service)
        self.logins(service, 1)
        status, answer = service.request("/restart-python", {})
        self.assertEqual(status, 200, answer)
        self.logins(service, 2)  # so the new worker is connected: what follows may be the old one's
        browser.hears("python_status", status="connected")
        self.assertIs(browser.hears("shioaji_ready")["simulation"], True)
        self.assertEqual(browser.hears("contracts_loaded")["count"], 3)
        browser.hears("heartbeat", status="running")
        self.assertEqual(browser.hears("market_tick")["code"], "2330")
        browser.emit("from_a_browser", {"quantity": 1})
        heard = "heard from_a_browser: {'quantity': 1}"
        service.until(f"line {heard!r}", lambda: heard in service.log)
        self.assertIs(service.request("/health")[1]["pythonRunning"], True)
        self.assertEqual(service.stop() in (0, -signal.SIGTERM), True)
        self.assert_each_logged_out(service, 2)
        self.assertIn(f"shioaji {version}", service.log)
        # A tick that comes while this worker disconnects is a traceback of its own.
        lines = service.log.splitlines()
        self.assertEqual([each for each in lines if "Traceback" in each and STDERR not in each], [])
        self.assertNotIn(KEYS["API_KEY"][:8], service.log)

    def test_it_runs_unchanged_with_shioaji_1_2(self) -> None:
        self.check_it_runs("1_2", "1.2.9")

    def test_it_runs_unchanged_with_shioaji_1_7(self) -> None:
        self.check_it_runs("1_7", "1.7.9")

    def test_every_stop_runs_its_finally(self) -> None:
        service = self.run_service(self.public_worker(), **KEYS)
        self.logins(service, 1)
        for number in (2, 3):
            self.assertEqual(service.request("/restart-python", {})[0], 200)
            self.logins(service, number)
        service.stop()
        self.assert_each_logged_out(service, 3)

    def test_its_finally_runs_when_the_gateway_is_killed(self) -> None:
        service = self.run_service(self.public_worker(), **KEYS)
        (login,) = self.logins(service, 1)
        service.stop(signal.SIGKILL)
        service.until("log-out", lambda: service.journal("logged out"))
        service.until("end of the worker", lambda: not Path(f"/proc/{login['pid']}").exists())

    def test_posted_keys_arrive_exactly(self) -> None:
        service = self.run_service(self.public_worker(), **KEYS)
        certificate = self.folder / "憑 證 # ' $ {} =.pfx"
        certificate.write_bytes(b"certificate")
        fields = {
            "apiKey": AWKWARD,
            "secretKey": AWKWARD[::-1],
            "caCertPath": str(certificate),
            "caPassword": f"'{AWKWARD}\"",
        }
        for number, body in enumerate((fields, urlencode(fields)), start=2):
            self.logins(service, number - 1)
            status, answer = service.request("/set-sj-key", body)
            self.assertEqual(status, 200, answer)
            login = self.logins(service, number)[-1]
            self.assertEqual(login["api_key"], fields["apiKey"])
            self.assertEqual(login["secret_key"], fields["secretKey"])
            given = service.until(
                "certificate",
                lambda pid=login["pid"]: [
                    entry for entry in service.journal("activate_ca") if entry["pid"] == pid
                ],
            )
            self.assertEqual(given[0]["ca_path"], fields["caCertPath"])
            self.assertEqual(given[0]["ca_passwd"], fields["caPassword"])

    def test_a_newline_in_a_key_is_refused_and_the_worker_keeps_running(self) -> None:
        service = self.run_service(self.public_worker(), **KEYS)
        (login,) = self.logins(service, 1)
        names = ("apiKey", "secretKey", "caCertPath", "caPassword")
        fields = {**dict.fromkeys(names, "x"), "secretKey": "a\nAPI_KEY=b"}
        self.assertEqual(service.request("/set-sj-key", fields)[0], 400)
        self.assertTrue(Path(f"/proc/{login['pid']}").exists())
        self.assertEqual(service.journal("logout"), [])

    def test_browsers_are_told_when_it_is_killed(self) -> None:
        service = self.run_service(self.public_worker(), **KEYS)
        browser = self.browser(service)
        (login,) = self.logins(service, 1)
        browser.hears("heartbeat")
        os.kill(login["pid"], signal.SIGKILL)
        while "SIGKILL" not in str(browser.hears("python_status")):
            pass
        again = self.logins(service, 2)[1]
        self.assertNotEqual(again["pid"], login["pid"])
        browser.hears("shioaji_ready")
        self.assertIs(service.request("/health")[1]["pythonRunning"], True)

    def test_an_old_login_under_1_7_is_told_to_browsers(self) -> None:
        option = self.public_worker()
        main = self.folder / "main.py"
        login = "login(api_key=API_KEY, secret_key=SECRET_KEY"
        self.assertIn(login, main.read_text())
        main.write_text(main.read_text().replace(login, f"{login}, fetch_contract=False"))
        service = self.run_service(option, **KEYS)
        browser = self.browser(service)
        service.request("/restart-python", {})
        self.assertIn("fetch_contract", browser.hears("python_error")["error"])


class ReferenceWorkerTests(WorkersCase):
    main = f"--main={ROOT / 'main.py'}"

    def start_worker(self, *options: str) -> subprocess.Popen:
        """Our worker by itself."""
        command = [sys.executable, "-u", str(ROOT / "main.py"), *options]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        worker = subprocess.Popen(command, cwd=self.folder, **quiet)
        self.addCleanup(worker.wait)
        self.addCleanup(worker.kill)
        return worker

    def test_the_demonstration_is_marked_as_such(self) -> None:
        service = self.run_service(self.main, "--demo")
        browser = self.browser(service)
        for name in ("market_tick", "market_bidask"):
            browser.hears(name, demo=True, simulation=True)
        service.request("/restart-python", {})
        browser.hears("shioaji_ready", demo=True, simulation=True, service_type="market_data")
        self.assertGreater(browser.hears("contracts_loaded", demo=True)["count"], 3)
        browser.hears("heartbeat", demo=True, shioaji_connected=True)
        browser.hears("market_snapshot", demo=True, code="TXFR1")

    def test_its_last_words_arrive_each_time(self) -> None:
        # No faster than this client reads on a busy machine: of words of one kind only the
        # newest is for who is behind.
        service = self.run_service(self.main, "--demo", "--worker-args=--rate 100")
        browser = self.browser(service)
        for _ in range(5):
            browser.hears("market_tick")
            self.assertEqual(service.request("/restart-python", {})[0], 200)
            browser.hears("python_status", status="stopped", exit_status=0)

    def test_without_keys_it_says_so_and_waits_for_them(self) -> None:
        service = self.run_service(self.main)
        browser = self.browser(service)
        service.until("line", lambda: "no credentials" in service.log)
        service.request("/restart-python", {})
        self.assertIn(
            "/set-sj-key", browser.hears("python_status", status="no credentials")["message"]
        )
        browser.hears("heartbeat", status="waiting", shioaji_connected=False)
        certificate = self.folder / "certificate.pfx"
        certificate.write_bytes(b"certificate")
        fields = {"apiKey": KEYS["API_KEY"], "secretKey": KEYS["SECRET_KEY"]}
        more = {"caCertPath": str(certificate), "caPassword": "ca-password"}
        self.assertEqual(service.request("/set-sj-key", fields | more)[0], 200)
        browser.hears("shioaji_ready", status="ready", simulation=False, version="1.7.9")
        self.assertEqual(browser.hears("market_bidask")["bid_price"][0], 100)
        service.stop()
        self.assert_each_logged_out(service, 1)

    def check_a_refused_login(self, shioaji: str) -> None:
        refused = {"STAND_IN_LOGIN": "451", **KEYS}
        service = self.run_service(self.main, shioaji=shioaji, **refused)
        service.until("log-in", lambda: service.journal("login"))
        browser = self.browser(service)
        service.request("/restart-python?force=true", {})
        error = browser.hears("python_error", service="shioaji")
        self.assertEqual(error["code"], 451)
        self.assertNotIn(KEYS["API_KEY"][:8], service.log)

    def test_a_refused_login_is_told_with_the_brokers_code_by_1_2(self) -> None:
        self.check_a_refused_login("1_2")

    def test_a_refused_login_is_told_with_the_brokers_code_by_1_7(self) -> None:
        self.check_a_refused_login("1_7")

    def test_a_login_that_holds_signals_back_is_waited_for(self) -> None:
        service = self.run_service(self.main, STAND_IN_BLOCK="2", **KEYS)
        service.until("log-in", lambda: service.journal("login"))
        service.stop()
        self.assert_each_logged_out(service, 1)

    def test_it_survives_a_restart_of_the_gateway(self) -> None:
        service = self.run_service("--no-worker")
        worker = self.start_worker("--demo", f"--url={service.url}")
        self.browser(service).hears("market_tick")
        service.stop()
        again = self.run_service("--no-worker")
        browser = self.browser(again)
        browser.hears("shioaji_ready", demo=True)
        browser.hears("market_tick")
        worker.send_signal(signal.SIGINT)
        self.assertEqual(worker.wait(PATIENCE), 0)
        browser.hears("python_status", status="stopped")
