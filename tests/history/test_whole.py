"""A whole gateway that records: killed in the middle, and with a full disk."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.client import Client, frame
from gateway.history.reading import read
from gateway.history.recordings_folder import recordings
from tests.interop.service import Service, started
from tests.patience import PATIENCE
from tests.ports import free_port


def tick(number: int, more: str = "") -> bytes:
    value = ["market_tick", {"code": f"C{number % 300}", "number": number, "more": more}]
    return frame(b"42" + json.dumps(value).encode())


class WholeCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.place = Path(self.mktemp()).absolute()
        self.place.mkdir()
        self.folder = self.place / "recordings"
        self.port = free_port()
        self.sent = 0

    def start(self, **more: object) -> Service:
        service = started(
            self.place, "--no-worker", f"--record={self.folder}", port=self.port, **more
        )
        self.addCleanup(service.close)
        self.client = Client(self.port)
        self.addCleanup(self.client.socket.close)
        self.client.socket.setblocking(True)
        return service

    def send(self, number: int = 1, more: Callable[[], str] = str) -> None:
        for _ in range(number):
            self.client.socket.sendall(tick(self.sent, more()))
            self.sent += 1

    def recording(self, service: Service) -> dict:
        status: dict = service.request("/status")[1]["recording"]
        return status

    def until(self, service: Service, condition: Callable[[dict], bool]) -> dict:
        """The status of the recording for which `condition` holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition(status := self.recording(service)):
            if time.monotonic() > deadline:
                raise AssertionError(f"{status}; the gateway's log:\n{service.log}")
            time.sleep(1)  # the answer is kept as long
        return status

    def recorded(self, folder: Path) -> list[int | str]:
        """The numbers of the events, and what other lines are, of all files."""
        lines = [line for _, path in recordings(folder) for line in read(path)]
        return [
            json.loads(each.payload)[1]["number"] if each.payload else "gap" if each.gap else "head"
            for each in lines
            if not each.payload or each.payload.startswith(b'["market_tick"')
        ]


class KilledTests(WholeCase):
    def test_nothing_that_was_on_the_disk_is_lost_doubled_or_out_of_order(self) -> None:
        ends: list[int] = []
        for start in range(3):
            service = self.start()
            first = self.sent
            status: dict = {"events": 0}
            while status["events"] < 200:
                self.send(100)
                status = self.recording(service)
            ends.append(first + status["events"] - 1)
            service.stop(signal.SIGKILL if start < 2 else signal.SIGTERM)
        numbers = [each for each in self.recorded(self.folder) if each != "head"]
        self.assertEqual(numbers, sorted(set(numbers)))
        # The gateway's own events count, too, so that a few fewer ticks than that are written.
        for end in ends:
            self.assertIn(end - 20, numbers)
        self.assertIn(self.sent - 1, numbers, "a stop writes everything")
        path = recordings(self.folder)[0][1]
        done = subprocess.run(["zstdcat", path], capture_output=True, check=True)
        self.assertEqual(len(done.stdout.splitlines()), len(list(read(path))))


class FullTests(WholeCase):
    def test_a_full_disk_costs_events_of_the_recording_and_none_of_the_relay(self) -> None:
        if os.geteuid() or not shutil.which("unshare") or not shutil.which("nsenter"):
            raise SkipTest("only root can make a small disk, with unshare and nsenter")
        self.folder.mkdir()
        mount = f'mount -t tmpfs -o size=256k tmpfs "{self.folder}" && exec "$@"'
        if subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
            raise SkipTest("no mount namespace may be made here")
        service = self.start(by=("unshare", "--mount", "sh", "-c", mount, "sh"))
        inside = Path(f"/proc/{service.process.pid}/root{self.folder}")
        reader = Client(self.port)
        self.addCleanup(reader.socket.close)
        self.send(100)
        self.until(service, lambda status: status["events"] >= 100)
        heard = 0
        for _ in range(12):
            self.send(10, lambda: os.urandom(50_000).hex())
            reader.socket.setblocking(True)
            while heard < self.sent:
                heard += len(reader.read())
        self.assertEqual(heard, self.sent)
        status = self.until(service, lambda status: status["lost"] > 0)
        self.assertEqual(status["trouble"], "No space left on device")
        self.assertGreaterEqual(status["gaps"], 1)
        target = ("nsenter", "--target", str(service.process.pid), "--mount")
        subprocess.run([*target, "mount", "-o", "remount,size=64m", self.folder], check=True)
        while not self.until(service, lambda _: True)["events"] > 110:
            self.send()
        self.send()
        status = self.until(service, lambda status: not status["waiting"] and not status["trouble"])
        kept = self.place / "kept"
        service.until("a quiet recording", lambda: self.is_written(inside))
        shutil.copytree(inside, kept)
        numbers: list[Any] = self.recorded(kept)
        gaps = [at for at, each in enumerate(numbers) if each == "gap"]
        self.assertEqual(len(gaps), status["gaps"])
        missing = {each for at in gaps for each in range(numbers[at - 1] + 1, numbers[at + 1])}
        self.assertEqual(len(missing), status["lost"])
        ticks = [each for each in numbers if isinstance(each, int)]
        self.assertEqual(ticks, [each for each in range(self.sent) if each not in missing])
        self.assertIn("Recording fails: No space left on device", service.log)
        service.until("recovery", lambda: "Recording goes on" in service.log)

    def is_written(self, inside: Path) -> bool:
        """Whether the last event is in a file."""
        return self.recorded(inside)[-1] == self.sent - 1
