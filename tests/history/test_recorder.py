"""What the recorder writes, with a clock of its own, and without its thread."""

import os
import threading
from datetime import datetime
from errno import EIO, ENOSPC
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.history import recorder as recorder_module
from gateway.history.event_thread import Gap
from gateway.history.reading import raw_lines, read
from gateway.history.recorded_lines import Line, head_line
from gateway.history.recorder import PRUNE_EVERY, RETRY, Recorder
from gateway.history.recordings_folder import RecordSettings
from gateway.history.zstd_file import FrameFile, compress
from gateway.market.hours import TAIPEI, Calendar
from tests import unprivileged
from tests.descriptors import links
from tests.history.events import event, packet


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=TAIPEI).timestamp()


NOON = moment("2026-11-30 12:00")
NIGHTFALL = moment("2026-11-30 14:30")
DAY, NIGHT = "2026-11-30-day.jsonl.zst", "2026-12-01-night.jsonl.zst"


class Stopping(threading.Event):
    """Notes how long it was waited for; `after` so many waits it is set, or `on_wait` is called."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []
        self.on_wait: list[Any] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        if len(self.waits) > 50:
            raise AssertionError("it is tried for ever")
        if self.on_wait:
            self.on_wait.pop(0)()
        return self.is_set()


class RecorderCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.now = 0.0
        self.wall = NOON
        self.stopping = Stopping()
        self.recorder = self.make()

    def make(self, **more: Any) -> Recorder:
        made = Recorder(
            RecordSettings(folder=self.folder, **more),
            Calendar().trading_part,
            self.stopping,
            version="1.2.3",
            wall=lambda: self.wall,
            monotonic=lambda: self.now,
        )
        self.addCleanup(made.close)
        return made

    def take(self, *walls: float) -> None:
        self.recorder.take([event(each) for each in walls])

    def write(self) -> None:
        """Have what was handed over written, some time later."""
        self.now += 0.8
        self.recorder.tick()

    def lines(self, name: str = DAY) -> list[Line]:
        return list(read(self.folder / name))

    def times(self, name: str = DAY) -> list[float | str]:
        """The times of the events, and what other lines are."""
        return [
            each.t if each.payload else "gap" if each.gap else "head" for each in self.lines(name)
        ]


class RecorderTests(RecorderCase):
    def test_events_that_are_handed_over_together_are_a_frame(self) -> None:
        self.take(NOON, NOON + 0.1)
        self.assertFalse((self.folder / DAY).exists())
        self.assertIsNone(self.recorder.tick())
        self.assertEqual(self.times(), ["head", NOON, NOON + 0.1])
        self.assertEqual(self.recorder.events, 2)
        self.assertEqual(self.recorder.bytes, (self.folder / DAY).stat().st_size)

    def test_the_first_line_says_the_format_in_the_time_of_what_follows(self) -> None:
        self.take(NOON)
        self.write()
        head = self.lines()[0]
        self.assertEqual(head.recording, {"format": 1, "gateway": "1.2.3"})
        self.assertEqual(head.t, NOON)

    def test_a_megabyte_is_a_frame_at_once(self) -> None:
        self.recorder.take([event(NOON, "chart", "x" * 100_000) for _ in range(11)])
        self.assertEqual(self.recorder.events, 11)

    def test_what_is_recorded_and_what_is_not(self) -> None:
        demo = event(NOON + 1, "market_tick", {"code": "TXFR1", "demo": True})
        stranger = event(NOON + 2, trusted=False)
        ended = event(NOON + 3, current=False)
        everything = [event(NOON), demo, stranger, ended]
        self.recorder.take(everything)
        self.write()
        self.assertEqual(self.times(), ["head", NOON])
        self.recorder.close()
        self.recorder = self.make(everybody=True)
        self.recorder.take(everything)
        self.write()
        found = [(line.t, line.other) for line in self.lines() if line.payload][1:]
        self.assertEqual(found, [(NOON, False), (NOON + 2, True), (NOON + 3, True)])

    def test_nothing_is_made_for_what_is_not_recorded(self) -> None:
        self.recorder.take([event(NOON, trusted=False)])
        self.write()
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_arguments_and_attachments_are_kept_byte_for_byte(self) -> None:
        text = b'451-17["chart", {"_placeholder":true,"num":0}, 1.50]'
        self.recorder.take([packet(text, b"\x00\xff", wall=NOON)])
        self.write()
        line = self.lines()[1]
        self.assertEqual(line.payload, text[text.index(b"[") :])
        self.assertEqual(line.attachments, (b"\x00\xff",))

    def test_an_event_that_can_not_be_a_line_costs_only_itself(self) -> None:
        self.recorder.take([event(NOON), packet(b"42", wall=NOON + 1), event(NOON + 2)])
        self.write()
        self.assertEqual(self.times(), ["head", NOON, "gap", NOON + 2])
        self.assertEqual((self.recorder.events, self.recorder.lost, self.recorder.gaps), (2, 1, 1))

    def test_a_gap_is_a_line_in_its_place(self) -> None:
        self.take(NOON)
        self.recorder.gap(Gap(NOON + 1, NOON + 2, 30, "no room"))
        self.take(NOON + 3)
        self.write()
        self.assertEqual(self.times(), ["head", NOON, "gap", NOON + 3])
        about = {"until": NOON + 2, "events": 30, "reason": "no room"}
        self.assertEqual(self.lines()[2].gap, about)
        self.assertEqual(self.recorder.events, 2)

    def test_each_half_of_a_trading_day_has_a_file(self) -> None:
        end = moment("2026-11-30 14:30")
        self.take(end - 1, end - 0.000001, end, end + 1)
        self.write()
        self.assertEqual(self.times(), ["head", end - 1, end - 0.000001])
        self.assertEqual(self.times(NIGHT), ["head", end, end + 1])
        self.assertEqual(self.recorder.file_name, NIGHT)

    def test_a_clock_that_jumps_back_goes_back_to_the_file_of_its_time(self) -> None:
        end = moment("2026-11-30 14:30")
        self.take(end + 1)
        self.write()
        self.take(end - 5, end - 4)
        self.write()
        self.take(end)
        self.write()
        self.assertEqual(self.times(NIGHT), ["head", end + 1, "head", end])
        self.assertEqual(self.times(), ["head", end - 5, end - 4])

    def test_the_end_writes_what_waits(self) -> None:
        self.take(NOON)
        self.recorder.close()
        self.assertEqual(self.times(), ["head", NOON])

    def test_another_start_goes_on_in_the_same_file(self) -> None:
        self.take(NOON)
        self.recorder.close()
        self.recorder = self.make()
        self.take(NOON + 1)
        self.write()
        self.assertEqual(self.times(), ["head", NOON, "head", NOON + 1])

    def test_half_a_frame_at_the_end_is_cut_off_first(self) -> None:
        self.take(NOON)
        self.recorder.close()
        with (self.folder / DAY).open("ab") as stream:
            stream.write(compress(b'{"t":1,"e":["lost"]}\n')[:-3])
        self.recorder = self.make()
        self.take(NOON + 1)
        self.write()
        self.assertEqual(self.times(), ["head", NOON, "head", NOON + 1])

    def test_a_file_of_another_format_is_left_alone(self) -> None:
        self.folder.mkdir()
        old = head_line(NOON, "0.0.9").replace(b'"format":1', b'"format":0')
        for name, data in ((DAY, compress(old)), ("2026-11-30-day.2.jsonl.zst", b"a diary")):
            (self.folder / name).write_bytes(data)
        self.take(NOON)
        self.write()
        third = "2026-11-30-day.3.jsonl.zst"
        self.assertEqual(self.times(third), ["head", NOON])
        self.assertEqual(list(raw_lines(self.folder / DAY)), [old[:-1]])
        self.recorder.close()
        self.recorder = self.make()
        self.take(NOON + 1)
        self.write()
        self.assertEqual(self.times(third), ["head", NOON, "head", NOON + 1])

    def test_a_file_whose_beginning_is_damaged_is_left_alone(self) -> None:
        self.take(NOON)
        self.write()
        self.take(NOON + 1)
        self.recorder.close()
        damaged = bytearray((self.folder / DAY).read_bytes())
        damaged[12] ^= 0xFF
        (self.folder / DAY).write_bytes(damaged)
        before = links(str(self.folder.resolve()))
        self.stopping.set()
        self.recorder = self.make()
        self.take(NOON + 2)
        self.write()
        self.assertEqual(self.times("2026-11-30-day.2.jsonl.zst"), ["head", NOON + 2])
        self.assertEqual((self.folder / DAY).read_bytes(), bytes(damaged))
        self.recorder.close()
        self.assertEqual(links(str(self.folder.resolve())), before)


class TroubleTests(RecorderCase):
    """The disk, the folder and others get in the way."""

    def fail_writes(self, number: int, error: OSError) -> None:
        """Let so many writes fail."""
        left = [error] * number
        written = os.pwrite

        def pwrite(*args: Any) -> int:
            if left:
                raise left.pop()
            return written(*args)

        self.patch(os, "pwrite", pwrite)

    def test_a_frame_is_written_again_until_there_is_room(self) -> None:
        self.fail_writes(3, OSError(ENOSPC, "No space left on device"))
        troubles: list[str] = []
        self.stopping.on_wait = [lambda: troubles.append(self.recorder.trouble)] * 3
        self.take(NOON)
        self.write()
        self.assertEqual(troubles, ["No space left on device"] * 3)
        self.assertEqual(self.stopping.waits, [RETRY] * 3)
        self.assertEqual(self.times(), ["head", NOON])
        self.assertEqual((self.recorder.trouble, self.recorder.events), ("", 1))

    def test_a_stop_gives_up_what_can_not_be_written(self) -> None:
        self.fail_writes(10, OSError(ENOSPC, "No space left on device"))
        self.take(NOON, NOON + 1)
        self.stopping.set()
        self.recorder.close()
        self.assertEqual((self.recorder.events, self.recorder.lost), (0, 2))
        self.assertEqual(self.recorder.trouble, "No space left on device")
        self.assertLessEqual(len(self.stopping.waits), 2)

    def test_a_stop_that_gave_something_up_writes_so_if_it_can(self) -> None:
        self.fail_writes(2, OSError(ENOSPC, "No space left on device"))
        self.take(NOON, NOON + 1)
        self.stopping.set()
        self.recorder.close()
        self.assertEqual(self.times(), ["head", "gap"])
        about = {"until": NOON + 1, "events": 2, "reason": "No space left on device"}
        self.assertEqual(self.lines()[1].gap, about)
        self.assertEqual((self.recorder.lost, self.recorder.gaps), (2, 1))

    def test_a_frame_that_could_not_be_taken_back_is_not_written_twice(self) -> None:
        self.take(NOON)
        self.write()
        failing = {"fdatasync": [True], "ftruncate": [True]}

        def failing_once(name: str) -> None:
            done = getattr(os, name)

            def act(*args: Any) -> Any:
                if failing[name] and failing[name].pop():
                    raise OSError(EIO, "Input/output error")
                return done(*args)

            self.patch(os, name, act)

        failing_once("fdatasync")
        failing_once("ftruncate")
        self.take(NOON + 1)
        self.write()
        self.assertEqual(failing, {"fdatasync": [], "ftruncate": []})
        self.assertEqual(self.times(), ["head", NOON, NOON + 1])
        self.assertEqual(self.recorder.events, 2)

    def test_a_folder_that_was_removed_is_made_again(self) -> None:
        self.take(NOON)
        self.write()
        (self.folder / DAY).unlink()
        self.folder.rmdir()
        self.take(NOON + 1)
        self.write()
        self.assertEqual(self.times(), ["head", NOON + 1])

    def test_a_file_that_was_shortened_by_others_goes_on_behind_what_is_whole(self) -> None:
        for size, left in ((0, []), (-3, ["head", NOON, NOON + 1])):
            self.folder = Path(self.mktemp())
            self.recorder = self.make()
            for each in range(3):
                self.take(NOON + each)
                self.write()
            os.truncate(self.folder / DAY, size % (self.folder / DAY).stat().st_size)
            self.take(NOON + 3)
            self.write()
            self.take(NOON + 4)
            self.write()
            self.assertEqual(self.times(), [*left, "head", NOON + 3, NOON + 4])

    def test_a_file_that_can_not_be_read_is_tried_again(self) -> None:
        self.take(NOON)
        self.write()
        self.recorder.close()
        first, self.stopping.on_wait = FrameFile.first, [lambda: None]

        def first_once(file: FrameFile) -> bytes:
            self.patch(FrameFile, "first", first)
            raise OSError(EIO, "I/O error")

        self.patch(FrameFile, "first", first_once)
        self.take(NOON + 1)
        self.write()
        self.assertEqual(self.times(), ["head", NOON, "head", NOON + 1])

    def test_another_gateway_in_the_same_folder_is_waited_for(self) -> None:
        self.folder.mkdir()
        other = FrameFile(self.folder / DAY)
        troubles: list[str] = []
        self.stopping.on_wait = [lambda: troubles.append(self.recorder.trouble), other.close]
        self.take(NOON)
        self.write()
        (trouble,) = troubles
        self.assertIn("another gateway records into this file", trouble)
        self.assertIn(DAY, trouble)
        self.assertEqual(self.times(), ["head", NOON])

    def test_a_folder_that_can_not_be_used_is_told_before_the_first_event(self) -> None:
        self.folder.write_text("a file")
        self.assertTrue(self.recorder.tick())
        self.assertIn("File exists", self.recorder.trouble)
        self.folder.unlink()
        self.now += RETRY
        self.assertFalse(self.recorder.tick())
        self.assertEqual(self.recorder.trouble, "")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_folder_that_becomes_read_only_is_tried_until_it_is_not(self) -> None:
        self.folder = unprivileged.folder(self) / "recordings"
        self.folder.mkdir()
        os.chown(self.folder, unprivileged.NOBODY, unprivileged.NOBODY)
        troubles: list[str] = []

        def act() -> tuple[list[str], list[object], list[object]]:
            self.recorder = self.make()
            self.take(NOON)
            self.write()
            self.folder.chmod(0o500)
            self.stopping.on_wait = [
                lambda: troubles.append(self.recorder.trouble),
                lambda: self.folder.chmod(0o700),
            ]
            self.take(NOON + 1, NIGHTFALL)  # the file that is open goes on, the next can't be made
            self.recorder.close()
            return troubles, self.times(), self.times(NIGHT)

        told, day, night = unprivileged.as_other_user(act)
        self.assertEqual(told, [f"Permission denied: {self.folder / NIGHT}"])
        self.assertEqual(day, ["head", NOON, NOON + 1])
        self.assertEqual(night, ["head", NIGHTFALL])

    def test_a_frame_that_can_not_be_made_is_a_gap(self) -> None:
        failing = [True]

        def compress_once(data: bytes) -> bytes:
            if failing and failing.pop():
                raise RuntimeError("as asked")
            return compress(data)

        self.patch(recorder_module, "compress", compress_once)
        self.take(NOON, NOON + 1)
        self.write()
        self.take(NOON + 2)
        self.write()
        self.assertEqual(self.times(), ["head", "gap", NOON + 2])
        about = {"until": NOON + 1, "events": 2, "reason": "as asked"}
        self.assertEqual(self.lines()[1].gap, about)
        self.assertEqual((self.recorder.events, self.recorder.lost, self.recorder.gaps), (1, 2, 1))


class RetentionTests(RecorderCase):
    def put(self, *names: str, size: int = 100) -> None:
        self.folder.mkdir(exist_ok=True)
        for name in names:
            (self.folder / name).write_bytes(bytes(size))

    def left(self) -> list[str]:
        return sorted(each.name for each in self.folder.iterdir())

    def test_old_days_are_removed_at_the_start_and_later(self) -> None:
        self.put("2026-10-30-day.jsonl.zst", "2026-10-31-night.jsonl.zst", "2026-10-30-notes.txt")
        newest = "2026-11-30-night.jsonl.zst"
        self.put(newest)
        self.recorder = self.make(days=30)
        self.recorder.tick()
        self.assertEqual(
            self.left(), ["2026-10-30-notes.txt", "2026-10-31-night.jsonl.zst", newest]
        )
        newer = "2026-12-01-night.jsonl.zst"
        self.put(newer)
        self.wall += 86400
        self.now += PRUNE_EVERY
        self.recorder.tick()
        self.assertEqual(self.left(), ["2026-10-30-notes.txt", newest, newer])
        self.assertIn("older than 30 days", self.recorder.news[-1])

    def test_a_clock_far_ahead_removes_nothing(self) -> None:
        names = ["2026-11-27-day.jsonl.zst", "2026-11-30-night.jsonl.zst"]
        self.put(*names)
        self.wall += 40 * 365 * 86400
        self.recorder = self.make(days=30)
        self.recorder.tick()
        self.assertEqual(self.left(), names)

    def test_the_oldest_are_removed_beyond_the_bytes(self) -> None:
        self.put(
            "2026-11-27-day.jsonl.zst", "2026-11-27-night.jsonl.zst", "2026-11-26-day.jsonl.zst"
        )
        self.recorder = self.make(max_bytes=250)
        self.recorder.tick()
        self.assertEqual(self.left(), ["2026-11-27-day.jsonl.zst", "2026-11-27-night.jsonl.zst"])

    def test_the_present_one_stays_however_large(self) -> None:
        self.put("2026-11-27-day.jsonl.zst", DAY)
        self.recorder = self.make(max_bytes=1)
        self.recorder.tick()
        self.assertEqual(self.left(), [DAY])

    def test_zero_is_no_bound(self) -> None:
        self.put("1999-11-27-day.jsonl.zst")
        self.recorder = self.make(max_bytes=0, days=0)
        self.recorder.tick()
        self.assertEqual(self.left(), ["1999-11-27-day.jsonl.zst"])
