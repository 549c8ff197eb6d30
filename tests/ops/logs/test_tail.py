"""The gateway's own last lines."""

from __future__ import annotations

from threading import Thread

from twisted.logger import Logger, LogLevel
from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.logs.tail import LONGEST, MOST, LogTail

BEGAN = 1708875000.0


class LogTailTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.kept = self.tail()
        self.log = Logger(namespace="gateway.somewhere", observer=self.kept)

    def tail(self, level: str = "info") -> LogTail:
        return LogTail(
            lambda text: text.replace("secret", "[redacted]"),
            LogLevel.levelWithName(level),
            without=("Python stdout",),
            now=lambda: BEGAN,
        )

    def lines(self, tail: LogTail | None = None) -> list[str]:
        """Without their times."""
        _, lines = (tail or self.kept).tail(MOST)
        return [line.partition(" ")[2] for line in lines]

    def test_it_keeps_what_a_log_file_has_but_for_the_workers_lines(self) -> None:
        self.log.info("up", tag="Gateway")
        self.log.info("a quote", tag="Python stdout")
        self.log.warn("no ledger", tag="Config")
        Logger(namespace="twisted.web", observer=self.kept).info("of others")
        self.assertEqual(self.lines(), ["[Gateway] up", "WARN [Config] no ledger"])

    def test_no_secret_and_no_forged_line_is_kept(self) -> None:
        self.log.info("{x}", x="a secret\n2024 [Gateway] b")
        self.assertEqual(self.lines(), ["[Gateway] a [redacted]\\n2024 [Gateway] b"])

    def test_it_keeps_no_payloads_and_what_the_level_of_the_log_lets_pass(self) -> None:
        for least, kept in (("debug", 3), ("warn", 2), ("error", 1)):
            tail = self.tail(least)
            log = Logger(namespace="gateway", observer=tail)
            for level in ("debug", "info", "warn", "error"):
                log.emit(LogLevel.levelWithName(level), level)
            self.assertEqual(len(self.lines(tail)), kept, least)

    def test_a_traceback_is_lines_below(self) -> None:
        try:
            raise ValueError("a secret")
        except ValueError:
            self.log.failure("It broke")
        number, lines = self.kept.tail(MOST)
        self.assertEqual(number, int(BEGAN * 1000) + len(lines))
        self.assertTrue(lines[0].endswith("CRITICAL [Gateway] It broke"))
        self.assertTrue(all(line.startswith("    ") for line in lines[1:]))
        self.assertEqual(lines[-1], "    builtins.ValueError: a [redacted]")

    def test_lines_and_their_number_are_bounded(self) -> None:
        self.log.info("x" * 2 * LONGEST)
        self.assertEqual(len(self.kept.tail(1)[1][0]), LONGEST)
        for each in range(MOST):
            self.log.info(str(each))
        number, lines = self.kept.tail(2)
        self.assertEqual(number, int(BEGAN * 1000) + 1 + MOST)
        self.assertTrue(lines[-1].endswith(f" [Gateway] {MOST - 1}"))
        self.assertEqual((len(lines), len(self.lines())), (2, MOST))

    def test_threads_log_too(self) -> None:
        threads = [Thread(target=self.log.info, args=("{n}",), kwargs={"n": n}) for n in range(9)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        self.assertEqual(sorted(self.lines()), [f"[Gateway] {n}" for n in range(9)])
