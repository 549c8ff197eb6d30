"""One line for every control action."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gateway.common.rate import MINUTE
from gateway.contract import WorkerError
from gateway.web.http.audit import MAX_DETAIL, MOST, MOST_REFUSED
from gateway.web.http.site import REFUSALS
from gateway.web.security.guard_settings import GuardSettings
from tests.web.site import FakeControl, Memory, build_site


class AuditTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.events: list[dict[str, Any]] = []
        globalLogPublisher.addObserver(self.events.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)
        self.control = FakeControl()

    def post(
        self, path: str, settings: GuardSettings | None = None, body: bytes = b"", **headers: str
    ) -> Memory:
        clock = Clock()
        self.site = build_site(clock, self.control, settings)
        connection = Memory(self.site, clock)
        fields = {"Host": "localhost", "Content-Length": str(len(body)), **headers}
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
        connection.send(f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)
        return connection

    def line(self) -> str:
        told = [formatEvent(event) for event in self.events if event.get("tag") == "Audit"]
        (line,) = [each for each in told if each.startswith("POST")]
        self.events.clear()
        return line

    def test_who_from_where_and_what_became_of_it(self) -> None:
        self.post("/restart-python")
        self.assertEqual(self.line(), "POST /restart-python by this machine from 127.0.0.1: done")
        self.post("/restart-python?force=true")
        self.assertIn(": done (forced)", self.line())
        self.control.result = WorkerError(
            "A restart is under way", "what may hold a-secret-of-hers"
        )
        self.post("/stop-python")
        self.assertIn(": failed: A restart is under way", self.line())

    def test_the_name_of_a_token_and_the_clients_address(self) -> None:
        settings = GuardSettings(control_token="sesame-open", trusted_proxies=["127.0.0.1"])
        self.post(
            "/start-python",
            settings,
            Authorization="Bearer sesame-open",
            X_Forwarded_For="192.0.2.1",
        )
        self.assertEqual(self.line(), "POST /start-python by token control from 192.0.2.1: done")

    def test_it_is_told_when_it_is_known_though_the_client_is_gone(self) -> None:
        self.control.result = Deferred()
        connection = self.post("/restart-python")
        connection.channel.connectionLost()
        self.assertEqual([e for e in self.events if e.get("tag") == "Audit"], [])
        self.control.result.callback(None)
        self.assertIn("POST /restart-python", self.line())

    def test_refusals_are_told_each_but_without_a_flood(self) -> None:
        settings = GuardSettings(control_token="sesame-open")
        clock = Clock()
        site = build_site(clock, self.control, settings)
        request = (
            b"POST /%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
            b"X-Forwarded-For: 192.0.2.1\r\n\r\n"
        )
        for _ in range(500):
            for path in (b"stop-python", b"set-sj-key"):
                Memory(site, clock).send(request % path)
        lines = [formatEvent(event) for event in self.events if event.get("tag") == "Audit"]
        self.assertEqual(
            lines[:2],
            [
                "POST /stop-python by nobody known from 127.0.0.1: refused",
                "POST /set-sj-key by nobody known from 127.0.0.1: refused",
            ],
        )
        self.assertEqual(len(lines), REFUSALS)
        self.assertEqual(len(site.audit.actions()), MOST_REFUSED)
        self.events.clear()
        for _ in range(100):  # while the flood goes on
            clock.advance(MINUTE / REFUSALS / 10)
            Memory(site, clock).send(request % b"stop-python")
        self.assertIn(len([e for e in self.events if e.get("tag") == "Audit"]), (9, 10, 11))
        self.assertEqual(self.control.calls, [])

    def test_what_is_wrong_in_itself_is_told_too(self) -> None:
        self.post("/set-sj-key?apiKey=a-secret", None, b'{"apiKey": "a-secret"}')
        line = self.line()
        self.assertIn("POST /set-sj-key by this machine", line)
        self.assertIn(": invalid: ", line)
        self.assertNotIn("a-secret", line)
        (told,) = self.site.audit.actions()
        self.assertEqual(told["outcome"], "invalid")
        self.assertTrue(told["detail"])

    def test_the_last_actions_are_remembered_newest_first(self) -> None:
        settings = GuardSettings(control_token="sesame-open")
        self.post("/start-python", settings, Authorization="Bearer sesame-open")
        self.assertEqual(
            self.site.audit.actions(),
            [
                {
                    "at": "2024-02-25T15:30:00.000Z",
                    "path": "/start-python",
                    "who": "token control",
                    "address": "127.0.0.1",
                    "outcome": "done",
                    "detail": "",
                    "forced": False,
                }
            ],
        )
        self.control.result = WorkerError("x" * 1000)
        clock = Clock()
        site = build_site(clock, self.control)
        for _ in range(MOST + 5):
            Memory(site, clock).send(
                b"POST /restart-python?force=true HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Length: 0\r\n\r\n"
            )
        last, *others = site.audit.actions()
        self.assertEqual(len(others), MOST - 1)
        self.assertEqual((last["outcome"], last["forced"]), ("failed", True))
        self.assertEqual(len(last["detail"]), MAX_DETAIL)

    def test_what_strangers_try_pushes_out_nothing_that_was_done(self) -> None:
        clock = Clock()
        site = build_site(clock, self.control, GuardSettings(control_token="sesame-open"))
        head = b"POST /stop-python HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
        Memory(site, clock).send(head + b"Authorization: Bearer sesame-open\r\n\r\n")
        for _ in range(MOST + 5):
            clock.advance(MINUTE)
            Memory(site, clock).send(head + b"\r\n")
        outcomes = [each["outcome"] for each in site.audit.actions()]
        self.assertEqual(sorted(outcomes), ["done", *["refused"] * MOST_REFUSED])

    def test_a_wrong_token_is_told_from_none(self) -> None:
        settings = GuardSettings(control_token="sesame-open")
        self.post("/stop-python", settings, Authorization="Bearer sesame-shut")
        self.assertIn(": refused: wrong token", self.line())
        self.post("/stop-python", settings)
        self.assertTrue(self.line().endswith(": refused"))
