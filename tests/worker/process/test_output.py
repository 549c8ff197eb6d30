"""What a worker prints: who hears of it."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.common.redact import Redactor
from gateway.worker.process.guarded import STDERR, STDOUT
from gateway.worker.process.output import WorkerOutput
from gateway.worker.settings import WorkerSettings
from tests.worker.fakes import Time

CODE = "login: status_code 451, too many connections"


class PositionTests(SynchronousTestCase):
    def output(self, now: float) -> WorkerOutput:
        settings = WorkerSettings(state_dir=Path("unused"), tail_lines=3)
        return WorkerOutput(
            Time(), settings, wall=lambda: now, redact=Redactor(), complain=lambda *_: None
        )

    def test_every_line_has_a_number(self) -> None:
        output = self.output(1708875000.0)
        first = output.position
        for number in range(1, 6):
            output.streams(1)[STDOUT].feed(b"line\n")
            self.assertEqual(output.position, first + number)

    def test_a_gateway_that_is_started_again_goes_on_with_larger_numbers(self) -> None:
        before = self.output(1708875000.0)
        before.streams(1)[STDOUT].feed(b"line\n" * 100)
        self.assertGreater(self.output(1708875001.0).position, before.position)


class ComplaintTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.complaints: list[tuple[str, int]] = []
        self.settings = WorkerSettings(state_dir=Path("unused"), line_burst=5, line_rate=1.0)
        self.time = Time()
        self.output = WorkerOutput(
            self.time,
            self.settings,
            wall=self.time.seconds,
            redact=Redactor(),
            complain=lambda *told: self.complaints.append(told),
        )
        self.streams = self.output.streams(7)

    def feed(self, fd: int, *lines: str) -> None:
        self.streams[fd].feed("".join(f"{line}\n" for line in lines).encode())

    def test_a_brokers_code_is_heard_in_a_flood(self) -> None:
        noise = [f"noise {number}" for number in range(100)]
        self.feed(STDERR, *noise, CODE, *noise)
        self.assertEqual(self.complaints, [("too-many-connections", 7)])
        self.assertNotIn(CODE, "".join(self.output.tail(1000)))

    def test_on_stdout_the_brokers_own_words_alone_count(self) -> None:
        self.feed(STDOUT, "HTTP 503", "status_code: 503", "code 451", "503 Server Error")
        self.assertEqual(self.complaints, [])
        self.time.advance(1)
        self.feed(STDOUT, "登入失敗 StatusCode: 503, Detail: 操作異常，請1分鐘後再重新登入")
        self.assertEqual(self.complaints, [("ban", 7)])
