"""Alerts as a whole, from what browsers are told to a real HTTPS server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher

from gateway.contract import WorkerError
from gateway.engineio.deadlines import Deadlines
from gateway.ops.alerts import receivers
from gateway.ops.alerts.alerts import Alerts, AlertSettings
from gateway.ops.alerts.rules import SUBJECTS
from tests.ops.alerts.receiver import Authority, ReceiverTestCase
from tests.ops.alerts.test_rules import status
from tests.worker.real import soon

SECRET = "/services/T01ABCDEF/a1B2c3D4e5F6g7H8"


class AlertsTests(ReceiverTestCase):
    """The clock is the test's; only the network is real."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = Clock()
        self.deadlines = Deadlines(self.clock.seconds)
        self.events: list[dict] = []
        globalLogPublisher.addObserver(self.events.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)

    def start(self, *urls: str, **settings: Any) -> None:
        self.settings = AlertSettings(
            urls=urls or (f"https://localhost:{self.port}{SECRET}",),
            ca_file=self.authority.write(Path(self.mktemp())),
            gateway="office",
            **settings,
        )
        self.alerts = Alerts(
            reactor,
            self.deadlines,
            self.settings,
            port=lambda: 3001,
            wall=lambda: 1708875000.0,
            random=lambda: 0.0,
        )
        self.addCleanup(self.alerts.stop)

    def worker(self, *names: str) -> None:
        for name in names:
            self.alerts.published("python_status", status(name))

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.deadlines.advance()

    def said(self) -> list[str]:
        return [formatEvent(event) for event in self.events if "host" in event]

    async def results(self, **expected: int) -> None:
        """Wait until so many alerts were delivered, tries failed, alerts were lost."""
        await soon(lambda: expected.items() <= self.alerts.results().items(), str(expected))

    def kinds(self) -> list[str]:
        return [body["kind"] for body in self.hook.posted]

    async def test_delivered(self) -> None:
        self.listen()
        self.start()
        self.worker("running", "exited", "fatal")
        await self.results(delivered=2)
        self.assertEqual(self.kinds(), ["died", "fatal"])
        self.assertEqual(self.hook.paths, [SECRET, SECRET])
        self.assertEqual(
            self.hook.posted[0],
            {
                "text": "\u26a0 [office] Worker died: exit code 1\n"
                "ConnectionError: StatusCode: 451\nhttp://localhost:3001/#/ops/log",
                "kind": "died",
                "subject": "worker",
                "detail": "The worker is exited",
                "timestamp": "2024-02-25T15:30:00.000Z",
                "facts": {
                    "pid": None,
                    "exitCode": 1,
                    "signal": None,
                    "class": "other",
                    "nextStartAt": None,
                    "restarts": 0,
                    "generation": 1,
                    "budget": {"used": 9, "limit": 200, "remaining": 100},
                    "lastLine": "ConnectionError: StatusCode: 451",
                },
                "held_back": 0,
                "link": "http://localhost:3001/#/ops/log",
            },
        )
        self.assertEqual(self.said(), [])

    async def test_every_receiver_is_told_in_its_own_form_and_language(self) -> None:
        self.listen()
        base = f"https://localhost:{self.port}"
        self.start(
            f"{base}/json",
            f"slack+{base}/slack",
            f"discord+{base}/discord",
            f"telegram+{base}/telegram?chat_id=5",
            f"ntfy+{base}/ntfy/topic",
            f"alertmanager+{base}/am",
            language="zh-TW",
        )
        self.worker("exited")
        await self.results(delivered=6)
        posted = dict(zip(self.hook.paths, self.hook.posted, strict=True))
        text = posted["/json"]["text"]
        self.assertIn("[office] 行情程式異常結束：結束碼 1", text)
        self.assertEqual(posted["/slack"], {"text": text})
        self.assertEqual(posted["/discord"]["content"], text)
        self.assertEqual(posted["/telegram"], {"chat_id": "5", "text": text})
        title = text.split("\n")[0]
        self.assertEqual(posted["/ntfy/"]["title"], title)
        self.assertEqual(posted["/am/api/v2/alerts"][0]["annotations"]["summary"], title)

    def kept(self) -> dict[str, bool]:
        """By subject, whether the last word to who keeps alerts was that nothing is wrong."""
        told = zip(self.hook.paths, self.hook.posted, strict=True)
        return {
            each["labels"]["subject"]: each["endsAt"] == each["startsAt"]
            for path, body in told
            if path == "/am/api/v2/alerts"
            for each in body
        }

    async def test_who_keeps_an_alert_until_it_is_over_hears_of_each_end(self) -> None:
        self.listen()
        base = f"https://localhost:{self.port}"
        self.start(f"{base}/json", f"alertmanager+{base}/am")
        self.alerts.start()
        await self.results(delivered=2)
        self.assertEqual(set(self.hook.paths), {"/am/api/v2/alerts"})
        self.assertEqual(self.kept(), dict.fromkeys(SUBJECTS, True))
        self.worker("exited")  # people are told this once
        await self.results(delivered=4)
        for number, (name, over) in enumerate((("stopped", True), ("exited", False)), 5):
            self.worker(name)
            await self.results(delivered=number)
            self.assertEqual(self.kept(), {**dict.fromkeys(SUBJECTS, True), "worker": over})
        posted = zip(self.hook.paths, self.hook.posted, strict=True)
        self.assertEqual([body["kind"] for path, body in posted if path == "/json"], ["died"])

    async def test_what_waits_since_the_start_holds_no_trouble_up(self) -> None:
        self.listen()
        self.start(f"alertmanager+https://localhost:{self.port}/am")
        self.hook.statuses = [503, 503, 503]
        self.alerts.start()
        await self.results(failed=2)
        self.wait(2.1)
        await self.results(failed=3)
        self.worker("exited")
        await self.results(delivered=1)
        self.assertEqual(self.kept(), {**dict.fromkeys(SUBJECTS, True), "worker": False})
        self.assertEqual(len(self.hook.posted[-1]), len(SUBJECTS))

    async def test_tried_again_until_it_arrives(self) -> None:
        self.listen()
        self.start()
        self.hook.statuses = [500, 503]
        self.worker("exited")
        await self.results(failed=1)
        self.wait(2)
        await self.results(failed=2)
        self.wait(3.9)
        self.assertEqual(len(self.hook.posted), 2)
        self.wait(0.1)
        await self.results(delivered=1, failed=2, lost=0)
        self.assertEqual(self.kinds(), ["died"] * 3)
        self.assertEqual(
            self.said(),
            [
                "An alert waits: localhost answered 500; next try in 2 s",
                "An alert waits: localhost answered 503; next try in 4 s",
            ],
        )

    async def test_rate_limited(self) -> None:
        self.listen()
        self.start(interval=60)
        for _ in range(10):
            self.worker("exited", "stopped")
            self.wait(1)
        await self.results(delivered=1)
        self.wait(60)
        await self.results(delivered=2)
        self.assertEqual([body["held_back"] for body in self.hook.posted], [0, 8])
        self.assertIn("8 earlier alerts were held back.", self.hook.posted[1]["text"])

    async def test_a_wrong_certificate_is_refused_and_said(self) -> None:
        self.listen()
        self.authority = Authority()
        self.start()
        self.worker("exited")
        await self.results(failed=1)
        self.assertEqual(self.hook.posted, [])
        (line,) = self.said()
        self.assertIn("localhost can't be trusted: certificate verify failed", line)

    async def test_no_url_is_ever_said(self) -> None:
        self.listen()
        self.start()
        self.hook.statuses = [500, 404]
        self.worker("exited")
        await self.results(failed=1)
        self.wait(2)
        await self.results(lost=1)
        self.alerts.published("python_status", status("fatal"))
        everything = f"{self.events} {self.settings} {self.said()}"
        self.assertIn("localhost answered 404", everything)
        for secret in self.settings.secrets:
            self.assertNotIn(secret[:8], everything)

    async def test_nothing_waits_for_a_receiver_that_does_not_answer(self) -> None:
        self.listen()
        self.start()
        self.hook.statuses = [0]
        self.worker("exited", "fatal")
        await soon(lambda: self.hook.posted)
        self.alerts.stop()
        await soon(self.has_hung_up)
        self.assertEqual(self.alerts.results(), {"delivered": 0, "failed": 0, "lost": 0})

    async def test_without_urls_nothing_happens(self) -> None:
        self.alerts = Alerts(reactor, self.deadlines, AlertSettings(), port=int)
        self.worker("exited", "fatal")
        self.assertEqual(self.alerts.results(), {"delivered": 0, "failed": 0, "lost": 0})

    async def test_a_test_is_sent_once_and_each_receiver_tells_whether_it_took_it(self) -> None:
        self.listen()
        base = f"https://localhost:{self.port}"
        self.start(f"{base}/good", f"slack+{base}/bad")
        self.assertEqual([each["at"] for each in self.alerts.status()], [None, None])
        self.assertEqual(len((await self.alerts.test())["channels"]), 2)
        self.assertEqual({each["error"] for each in self.alerts.status()}, {""})
        self.assertEqual(sorted(self.hook.paths), ["/bad", "/good"])
        self.hook.statuses = [404, 404]
        with self.assertRaises(WorkerError) as caught:
            await self.alerts.test()
        details = "json: localhost answered 404; slack: localhost answered 404"
        self.assertEqual(caught.exception.details, details)
        self.assertEqual([each["error"] for each in self.alerts.status()], ["answered 404"] * 2)
        self.wait(1000)
        self.assertEqual(len(self.hook.posted), 4, "a test is not tried again")
        self.assertEqual(self.alerts.results(), {"delivered": 0, "failed": 0, "lost": 0})

    async def test_one_test_at_a_time(self) -> None:
        self.listen()
        self.start()
        self.hook.statuses = [0]
        asked = self.alerts.test()
        self.assertRaises(WorkerError, self.alerts.test)
        await soon(lambda: self.hook.posted)
        self.alerts.stop()
        await self.assertFailure(asked, WorkerError)
        await soon(self.has_hung_up)

    async def test_without_receivers_a_test_says_what_to_do(self) -> None:
        self.alerts = Alerts(reactor, self.deadlines, AlertSettings(), port=int)
        error = self.assertRaises(WorkerError, self.alerts.test)
        self.assertIn("--alert-file", str(error))

    async def test_a_line_that_was_taken_before_counts_as_arrived(self) -> None:
        """LINE answers 409 where a try before had arrived, and its answer had not."""
        self.listen()
        self.hook.statuses = [500, 409]
        self.patch(receivers, "LINE", f"https://localhost:{self.port}/push")
        self.start(f"line:U{'0' * 32}:{'t' * 40}")
        self.worker("exited")
        await self.results(failed=1)
        self.wait(2)
        await self.results(delivered=1, lost=0)
        first, second = self.hook.sent
        self.assertEqual(first["authorization"], f"Bearer {'t' * 40}")
        self.assertEqual(first["x-line-retry-key"], second["x-line-retry-key"])
