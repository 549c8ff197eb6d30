"""What workers print, with real ones."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import psutil
from twisted.logger import globalLogPublisher

from .posted import AWKWARD, posted
from .real import RealTestCase, soon


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

    async def test_an_endless_line_costs_little(self) -> None:
        supervisor = self.supervisor("output.py", "endless=40")
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
        lines = [line for line in supervisor.log_tail(100) if "stdout" in line]
        self.assertLessEqual(len(lines), 2)  # it was not finished in time
        self.assertLess(sum(map(len, lines)), 9000)
        more = sum(int(line.rpartition("(")[2].split()[0]) for line in lines)
        self.assertEqual(more, (40 << 20) - 8192)

    async def test_garbage_forges_nothing(self) -> None:
        supervisor = self.supervisor("output.py", "garbage")
        await self.up(supervisor, "garbage")
        await soon(lambda: len(supervisor.log_tail(9)) == 3)
        broken, forged, cjk = (line.partition(" ")[2] for line in supervisor.log_tail(9))
        self.assertEqual(broken, r"[Python stdout] \xff\xfe broken\x00 \x1b[31mred\x1b[0m")
        self.assertEqual(forged, "[Python stdout] [Config] forged")
        self.assertEqual(cjk, r"[Python stdout] 臺指期 \xe8")

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

    async def test_a_worker_that_prints_its_keys_is_redacted(self) -> None:
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
