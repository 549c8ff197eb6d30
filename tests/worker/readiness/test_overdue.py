"""Workers that do not connect to the gateway."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.readiness.overdue import ConnectionWatch, names_proxy
from tests.worker.fakes import settings
from tests.worker.real import RealTestCase, soon


class ConnectionWatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.told: list[str] = []
        self.asked = 0
        self.is_connected = False
        self.watch = ConnectionWatch(30, self.ask, lambda run: "url", self.told.append)

    def ask(self) -> bool:
        self.asked += 1
        return self.is_connected

    def look(self, lived: float, *, spoke: bool = False, generation: int = 1) -> list[str]:
        vitals = SimpleNamespace(lived=lived, has_spoken=spoke)
        self.run_ = SimpleNamespace(vitals=vitals, generation=generation)
        self.watch.look(self.run_)
        told, self.told[:] = list(self.told), []
        return told

    def test_it_is_told_once_a_start_and_that_it_is_over(self) -> None:
        self.assertEqual(self.look(29), [])
        self.assertEqual(self.look(30), ["unconnected"])
        self.assertEqual(self.watch.reason(self.run_), "url")
        self.assertEqual(self.look(40), [])
        self.is_connected = True
        self.assertEqual(self.look(50), ["connected"])
        self.assertIsNone(self.watch.reason(self.run_))
        self.is_connected = False
        self.assertEqual(self.look(60), [])
        self.assertEqual(self.look(30, generation=2), ["unconnected"])
        self.assertEqual(self.look(31, generation=2, spoke=True), ["connected"])

    def test_of_another_start_nothing_is_known_yet(self) -> None:
        self.look(30)
        self.assertEqual(self.look(1, generation=2), [])
        self.assertIsNone(self.watch.reason(self.run_))
        self.assertIsNone(self.watch.reason(None))

    def test_one_that_has_spoken_or_is_connected_in_time_is_no_news(self) -> None:
        self.assertEqual(self.look(30, spoke=True), [])
        self.is_connected = True
        self.assertEqual(self.look(30, generation=2), [])

    def test_the_kernel_is_asked_seldom(self) -> None:
        for second in range(1, 30):
            self.look(second)
        self.assertEqual(self.asked, 0)
        for second in range(30, 90):
            self.look(second)
        self.assertEqual(self.asked, 12)
        self.is_connected = True
        for second in range(90, 200):
            self.look(second)
        self.assertEqual(self.asked, 13)

    def test_half_a_minute_is_the_default(self) -> None:
        self.assertEqual(settings().connected_within, 30)


class ProxyTests(SynchronousTestCase):
    def test_variables_that_make_a_worker_ask_a_proxy(self) -> None:
        for variables, expected in (
            ({}, False),
            ({"HTTP_PROXY": "http://proxy:3128"}, True),
            ({"all_proxy": "socks5://proxy"}, True),
            ({"HTTP_PROXY": ""}, False),
            ({"HTTPS_PROXY": "http://proxy:3128"}, False),
            ({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "example.com"}, True),
            ({"HTTP_PROXY": "http://proxy:3128", "no_proxy": "example.com, localhost"}, False),
            ({"http_proxy": "http://proxy:3128", "NO_PROXY": "*"}, False),
        ):
            self.assertEqual(names_proxy(variables), expected, variables)


class SilentWorkerTests(RealTestCase):
    """Real workers that connect to nobody."""

    async def told_of(self, **changes: object) -> tuple[str | None, str]:
        """The reason in `/status`, and the text for browsers."""
        supervisor = self.supervisor(
            "polite.py", connected_within=0.1, is_connected=lambda: False, **changes
        )
        await self.up(supervisor)
        await soon(lambda: supervisor.status()["uptime"] > 0.1)
        supervisor.checks.look()
        event = await self.is_told("unconnected")
        return supervisor.status()["unconnected"], event["message"]

    async def test_another_url(self) -> None:
        reason, message = await self.told_of()
        self.assertEqual(reason, "url")
        self.assertIn("has not connected", message)
        self.assertIn("GATEWAY_URL, http://localhost:3001", message)

    async def test_an_old_client(self) -> None:
        reason, message = await self.told_of(spoke_version_3=lambda seconds: seconds > 0)
        self.assertEqual(reason, "engineio3")
        self.assertIn("--eio3", message)

    async def test_a_proxy_in_its_env_file(self) -> None:
        folder = self.new_folder()
        (folder / "main.py").write_text("import time\nwhile True: time.sleep(9)\n")
        (folder / ".env").write_text("HTTP_PROXY=http://proxy.example.com:3128\n")
        supervisor = self.supervisor(
            folder / "main.py", connected_within=0.1, is_connected=lambda: False
        )
        supervisor.start()
        await soon(lambda: (supervisor.status()["uptime"] or 0) > 0.1)
        supervisor.checks.look()
        event = await self.is_told("unconnected")
        self.assertEqual(supervisor.status()["unconnected"], "proxy")
        self.assertIn("NO_PROXY", event["message"])
