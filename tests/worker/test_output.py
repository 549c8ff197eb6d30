"""What a worker prints: who hears of it."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.output import Output
from gateway.worker.process import STDERR, STDOUT
from gateway.worker.settings import Settings

from .fakes import Time

CODE = "login: status_code 451, too many connections"


class PositionTests(SynchronousTestCase):
    def output(self, now: float) -> Output:
        settings = Settings(state_dir=Path("unused"), tail_lines=3)
        clock = Time()
        return Output(
            settings, clock=clock.seconds, wall=lambda: now, clean=str, complain=[].append
        )

    def test_every_line_has_a_number(self) -> None:
        output = self.output(1708875000.0)
        first = output.position
        for number in range(1, 6):
            output.streams()[STDOUT].feed(b"line\n")
            self.assertEqual(output.position, first + number)

    def test_a_gateway_that_is_started_again_goes_on_with_larger_numbers(self) -> None:
        before = self.output(1708875000.0)
        before.streams()[STDOUT].feed(b"line\n" * 100)
        self.assertGreater(self.output(1708875001.0).position, before.position)


class ComplaintTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.complaints: list[str] = []
        self.settings = Settings(state_dir=Path("unused"), line_burst=5, line_rate=1.0)
        time = Time()
        self.output = Output(
            self.settings,
            clock=time.seconds,
            wall=time.seconds,
            clean=str,
            complain=self.complaints.append,
        )

    def feed(self, fd: int, *lines: str) -> None:
        self.output.streams()[fd].feed("".join(f"{line}\n" for line in lines).encode())

    def test_a_brokers_code_is_heard_in_a_flood(self) -> None:
        noise = [f"noise {number}" for number in range(100)]
        self.feed(STDERR, *noise, CODE, *noise)
        self.assertEqual(self.complaints, [CODE])
        self.assertNotIn(CODE, "".join(self.output.tail(1000)))

    def test_only_on_stderr(self) -> None:
        self.feed(STDOUT, CODE)
        self.assertEqual(self.complaints, [])
