"""How the recording starts, stops, and says how it is."""

import os
import subprocess
import sys
import threading
from errno import ENOSPC
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import TestCase

from gateway.history import event_thread
from gateway.history.event_thread import FULL, OVERHEAD
from gateway.history.reading import read
from gateway.history.recording import GRACE, LAST_WRITES, Recording
from gateway.history.recordings_folder import RecordSettings
from gateway.market.hours import Calendar
from tests.history.events import WALL, event
from tests.history.test_event_thread import wait
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
NAME = "2025-12-01-night.jsonl.zst"
SIZE = event().size + OVERHEAD


class FakeReactor(Clock):
    def __init__(self) -> None:
        super().__init__()
        self.from_threads: list[Any] = []

    def callFromThread(self, function: Any, *args: Any) -> None:
        self.from_threads.append((function, args))

    def run(self) -> None:
        while self.from_threads:
            function, args = self.from_threads.pop(0)
            function(*args)


class RecordingTests(TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.reactor = FakeReactor()
        self.now = 0.0
        self.told: list[tuple[str, int]] = []
        self.log: list[str] = []
        self.recording = self.make()

        def observe(each: Any) -> None:
            if each["log_namespace"] == "gateway.history":
                self.log.append(each["log_format"].format(**each))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)

    def make(self, room: int = 1000) -> Recording:
        made = Recording(
            RecordSettings(folder=self.folder),
            Calendar().trading_part,
            self.reactor,
            version="1.2.3",
            wall=lambda: WALL + 2,
            monotonic=lambda: self.now,
            queue_bytes=room * SIZE,
        )
        made.listeners.append(lambda trouble, lost: self.told.append((trouble, lost)))
        return made

    def send(self, *walls: float) -> None:
        self.recording.tap.collect([event(WALL + wall) for wall in walls])
        self.recording.tap.hand_over()

    async def send_frame(self) -> None:
        """Send an event; the thread writes it."""
        self.send(1)
        while self.recording.tap.waiting:
            await wait()

    def look(self, seconds: float = 0) -> None:
        self.now += seconds
        self.recording.look()

    async def stop(self) -> None:
        ended = self.recording.stop()
        while not ended.called:
            self.reactor.run()
            await wait()
        await ended
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def recorded(self) -> list[float | str]:
        lines = read(self.folder / NAME)
        return [each.t - WALL if each.payload else "gap" if each.gap else "head" for each in lines]

    async def test_it_starts_a_thread_and_ends_with_everything_on_the_disk(self) -> None:
        before = threading.active_count()
        self.recording = self.make()
        self.assertFalse(self.folder.exists())
        self.assertEqual(threading.active_count(), before)
        self.recording.start()
        self.send(1, 2)
        self.send(3)
        await self.stop()
        self.assertEqual(self.recorded(), ["head", 1, 2, 3])
        status = self.recording.status
        self.assertEqual((status.events, status.lost, status.gaps, status.waiting), (3, 0, 0, 0))
        self.assertEqual((status.folder, status.trouble), (str(self.folder), ""))
        self.assertEqual(self.log, [f"The recording {self.folder / NAME} begins"])
        self.assertEqual(self.told, [])

    async def test_events_without_room_are_told_at_once_and_that_it_goes_on_once(self) -> None:
        self.recording = self.make(room=1)
        self.send(1)
        self.send(2, 3)
        self.look()
        self.assertEqual(self.told, [(FULL, 2)])
        self.assertEqual(self.recording.status.gaps, 1)
        self.send(4)
        self.look(100)
        self.assertEqual(len(self.told), 1)
        self.recording.start()
        while self.recording.status.events < 1:
            await wait()
        self.send(5)
        while self.recording.status.events < 2:
            await wait()
        self.look(1)
        self.look(GRACE - 2)
        self.assertEqual(len(self.told), 1)
        self.look(1)
        self.assertEqual(self.told, [(FULL, 2), ("", 3)])
        self.look(1000)
        await self.stop()
        self.assertEqual(self.recorded(), ["head", 1, "gap", 5])
        self.assertEqual(self.recording.status.lost, 3)
        self.assertEqual(len(self.told), 2)

    async def test_what_was_said_and_not_heard_here_is_a_gap(self) -> None:
        self.recording.start()
        self.send(1)
        self.recording.missed(7, "it was away")
        self.send(3)
        await self.stop()
        self.assertEqual(self.recorded(), ["head", 1, "gap", 3])
        self.assertEqual((self.recording.status.lost, self.recording.status.gaps), (7, 1))

    async def test_a_trouble_that_comes_and_goes_is_one_line_until_it_is_over(self) -> None:
        reasons = ["No space left on device", "", "Input/output error", ""]
        self.patch(Recording, "_trouble", lambda _: reasons[int(self.now) % 4])
        for _ in range(40):
            self.look(1)
        fails = [f"Recording fails: {each}" for each in (reasons[2], reasons[0])]
        self.assertEqual(self.log, fails)
        reasons_told = reasons[0]
        reasons[:] = [""] * 4
        for _ in range(40):
            self.look(1)
        self.assertEqual(self.log, [*fails, "Recording goes on; 0 events are missing"])
        self.assertEqual([trouble for trouble, _ in self.told], [reasons_told, ""])

    async def test_a_full_disk_is_told_after_a_while_and_costs_nothing_if_there_is_room(
        self,
    ) -> None:
        full = threading.Event()
        full.set()
        tried = threading.Semaphore(0)
        written = os.pwrite

        def pwrite(*args: Any) -> int:
            tried.release()
            if full.is_set():
                raise OSError(ENOSPC, "No space left on device")
            return written(*args)

        self.patch(os, "pwrite", pwrite)
        self.recording.start()
        await self.send_frame()
        assert tried.acquire(timeout=PATIENCE)
        while not self.recording.status.trouble:
            await wait()
        self.look()
        self.look(GRACE - 1)
        self.assertEqual(self.told, [])
        self.look(1)
        self.assertEqual(self.told, [("No space left on device", 0)])
        full.clear()
        await self.stop()
        self.look(GRACE)
        self.assertEqual(self.told[1:], [("", 0)])
        self.assertEqual(self.recorded(), ["head", 1])
        self.assertEqual(self.recording.status.events, 1)

    async def test_a_gap_that_a_full_disk_made_says_so(self) -> None:
        full, written = [True], os.pwrite

        def pwrite(*args: Any) -> int:
            if full:
                raise OSError(ENOSPC, "No space left on device")
            return written(*args)

        self.patch(os, "pwrite", pwrite)
        self.recording = self.make(room=1)
        self.recording.start()
        await self.send_frame()
        while not self.recording.status.trouble:
            await wait()
        self.send(2)
        self.send(3)
        full.clear()
        await self.stop()
        self.assertEqual(self.recorded(), ["head", 1, 2, "gap"])
        (gap,) = [each.gap for each in read(self.folder / NAME) if each.gap]
        about = {"until": WALL + 3, "events": 1, "reason": "No space left on device"}
        self.assertEqual(gap, about)

    async def test_a_disk_that_does_not_answer_is_told_and_not_waited_for_at_the_end(self) -> None:
        answers, asked = threading.Event(), threading.Event()
        self.addCleanup(answers.set)

        def fdatasync(descriptor: int) -> None:
            asked.set()
            answers.wait(PATIENCE)

        self.patch(os, "fdatasync", fdatasync)
        self.recording.start()
        await self.send_frame()
        assert asked.wait(PATIENCE)
        self.look()
        self.assertEqual(self.recording.status.trouble, "")
        self.look(GRACE)
        self.look(GRACE)
        self.assertEqual(self.told, [("the disk does not answer", 0)])
        ended = self.recording.stop()
        self.reactor.advance(LAST_WRITES - 0.1)
        self.assertNoResult(ended)
        self.reactor.advance(0.1)
        self.successResultOf(ended)
        self.assertIn("The recording ends without its last events", self.log[-1])
        answers.set()
        while not self.reactor.from_threads:
            await wait()
        self.reactor.run()  # the thread ended too late: nobody waits for it

    async def test_what_a_hand_over_loses_is_told(self) -> None:
        self.recording.start()
        self.send(1)
        self.recording.flush()
        self.assertEqual(self.recorded(), ["head", 1])
        self.patch(event_thread, "FLUSH_PATIENCE", 0.05)
        answers = threading.Event()
        self.addCleanup(answers.set)
        self.patch(os, "fdatasync", lambda _: answers.wait(PATIENCE))
        self.assertEqual(self.log, [])
        self.send(2)
        self.recording.flush()
        (line,) = self.log
        self.assertIn("The newest events are not recorded (it does not answer)", line)
        answers.set()
        await self.stop()

    async def test_an_end_with_a_full_disk_says_what_is_lost(self) -> None:
        def pwrite(*args: Any) -> int:
            raise OSError(ENOSPC, "No space left on device")

        self.patch(os, "pwrite", pwrite)
        self.recording.start()
        self.send(1, 2)
        await self.stop()
        self.assertEqual(self.recording.status.lost, 2)
        self.assertIn("No space left on device): 2 could not be written", self.log[-1])


class StartTests(TestCase):
    def test_a_start_without_a_recording_loads_no_zstd(self) -> None:
        script = "import sys, gateway.tap, gateway.app.assembly; print('zstd' in str(sys.modules))"
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
        )
        self.assertEqual(done.stdout.strip(), "False")
