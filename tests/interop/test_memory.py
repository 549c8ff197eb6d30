"""A gateway that is killed and started again at once: who recovers has missed nothing."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from threading import Event, Thread
from unittest import SkipTest

from tests.interop.agents import Agent, node_client, python_client
from tests.interop.raw import RawClient
from tests.interop.service import Service
from tests.interop.test_recovery import RecoveryCase
from tests.ports import free_port

KILLS = 3
RATE = 500
CODES = 10_000
"""Each event has a code of its own, so that none replaces another one for a client that is late."""


class KillTests(RecoveryCase):
    def numbers_until(self, client: Agent, last: int) -> list[int]:
        return [each for each in self.ticks_until(client, last) if each >= 0]

    def say_again_and_again(self, speaker: Agent, *event: object) -> None:
        """Until the test is over: who does not recover may come back once more, and miss one."""
        over = Event()

        def say() -> None:
            while not over.wait(0.2):
                speaker.tell("emit", *event)

        saying = Thread(target=say)
        saying.start()
        self.addCleanup(saying.join)
        self.addCleanup(over.set)

    def test_each_client_that_recovers_hears_what_any_of_them_heard_once(self) -> None:
        """What a speaker said into a connection that the kill cut is lost for all of them."""
        url = self.service.url
        kinds = ("websocket", "polling", "default")
        clients = [self.agent(node_client(url, kind, recover=True)) for kind in kinds]
        codes = [f"C{number}" for number in range(1, CODES, 10)]
        filtered = self.agent(node_client(url, "websocket", recover=True, codes=codes))
        plain = [python_client(url, kind) for kind in kinds]
        for each in plain:
            self.addCleanup(each.close)
            each.hear("connected")
        speaker = self.agent(node_client(url, "websocket"))
        speaker.tell("stream", 10**6, RATE, CODES)
        rng = random.Random(17)
        for _ in range(KILLS):
            time.sleep(rng.uniform(0.2, 1))  # at any moment; nothing is waited for
            self.service.stop(signal.SIGKILL)
            self.service = self.start()
            for each in (*clients, filtered):
                self.assertTrue(each.hear("connected")["recovered"])
            for each in plain:
                each.hear("connected")
            speaker.hear("connected")
        speaker.tell("stop")
        last = speaker.hear("sent")["sent"]
        self.say_again_and_again(speaker, "end", {"seq": last})
        heard = [self.numbers_until(each, last) for each in clients]
        self.assertEqual(heard[0], sorted(set(heard[0])))
        self.assertGreater(len(heard[0]), RATE)
        for each in heard[1:]:
            self.assertEqual(each, heard[0])
        of_one_code = [each for each in heard[0] if each % 10 == 1 or each == last]
        self.assertEqual(self.numbers_until(filtered, last), of_one_code)
        for each in plain:
            numbers = self.numbers_until(each, last)
            self.assertEqual(numbers, sorted(set(numbers)))

    def test_late_joiners_and_the_status_know_what_was_before(self) -> None:
        speaker = RawClient(self.port)
        self.addCleanup(speaker.close)
        listener = RawClient(self.port)
        self.addCleanup(listener.close)
        speaker.emit(("market_tick", {"code": "TXFL6", "n": 1}), ("market_tick", {"code": "2330"}))
        texts = listener.texts()
        self.assertIn("TXFL6", next(texts))
        self.assertIn("2330", next(texts))
        self.service.stop(signal.SIGKILL)
        self.service = self.start()
        late = RawClient(self.port, snapshot=True)
        self.addCleanup(late.close)
        self.assertEqual(next(late.texts()), '42["market_tick", {"code": "TXFL6", "n": 1}]')
        found = self.service.request("/status?codes=1")[1]
        self.assertEqual(found["freshness"]["events"]["market_tick"]["count"], 2)
        self.assertEqual(found["relay"]["events"], 0)

    def test_nothing_of_a_demonstration_is_left_for_a_real_start(self) -> None:
        """A worker may play it without the gateway's --demo: its events say so."""
        speaker = RawClient(self.port)
        self.addCleanup(speaker.close)
        listener = RawClient(self.port, recover=True)
        self.addCleanup(listener.close)
        speaker.emit(("market_tick", {"code": "TXFL6", "demo": True}))
        next(listener.texts())
        self.service.stop()
        self.service = self.start()
        self.assertIn("begins anew", self.service.log)
        self.assertEqual(
            self.service.request("/status")[1]["freshness"]["events"], {}, "nothing was heard"
        )


class ExitTests(RecoveryCase):
    def start(self, port: int = 0) -> Service:
        (self.folder / "main.py").write_text("raise SystemExit(3)\n")
        service = Service(self.folder, port or self.port)
        self.addCleanup(service.close)
        service.until("answer", service.answers)
        return service

    def exits(self) -> list[int | None]:
        """The pids of the last exits."""
        return [each["pid"] for each in self.service.request("/status")[1]["exits"]]

    def test_the_last_exits_of_the_worker_are_known_after_a_kill(self) -> None:
        (first, *_) = self.service.until("exit", self.exits)[::-1]
        self.service.stop(signal.SIGKILL)
        self.service = self.start()
        self.assertEqual(self.exits()[-1], first)


class FullDiskTests(RecoveryCase):
    """The state folder is on a file system of its own, which has no room."""

    def setUp(self) -> None:
        self.port = free_port()
        self.disk = Path(tempfile.mkdtemp())
        self.addCleanup(self.disk.rmdir)
        self.mount("-t", "tmpfs", "-o", "size=4m", "tmpfs")
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=True)

    def mount(self, *arguments: str) -> None:
        done = subprocess.run(
            ["mount", *arguments, self.disk], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SkipTest(f"nothing can be mounted here: {done.stderr.strip()}")

    def start(self, port: int = 0) -> Service:
        folder = Path(tempfile.mkdtemp())
        state = f"--state-dir={self.disk / 'state'}"
        service = Service(folder, port or self.port, "--no-worker", "--keep-bars=0", state)
        self.addCleanup(service.close)
        service.until("answer", service.answers)
        return service

    def is_kept(self, service: Service) -> bool:
        return any((self.disk / "state").glob("*.ring"))

    def test_it_runs_without_and_makes_it_when_there_is_room(self) -> None:
        service = self.start()
        self.assertIn("No space left on device", service.log)
        self.assertFalse(self.is_kept(service))
        self.mount("-o", "remount,size=64m")
        service.until("memory", lambda: self.is_kept(service))
        service.stop(signal.SIGKILL)
        self.assertIn("goes on", self.start().log)

    def test_a_disk_that_gets_full_while_it_runs_does_no_harm(self) -> None:
        self.mount("-o", "remount,size=64m")
        service = self.start()
        listener = self.agent(node_client(service.url, "websocket", recover=True))
        with (self.disk / "rest").open("wb", buffering=0) as rest, contextlib.suppress(OSError):
            while rest.write(bytes(1 << 16)):
                pass
        speaker = RawClient(self.port)
        self.addCleanup(speaker.close)
        for number in range(2000):
            speaker.emit(("market_tick", {"code": "A", "seq": number, "more": "x" * 10_000}))
        self.assertEqual(self.ticks_until(listener, 1999), list(range(2000)))
        for _ in range(2):  # the new file takes the place of the old one
            service.stop(signal.SIGKILL)
            service = self.start()
            self.assertTrue(listener.hear("connected")["recovered"])
            self.assertTrue(self.is_kept(service))
