"""The ledger of starts."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.lifecycle import ledger_file
from gateway.worker.lifecycle.ledger import Ledger, next_day, trading_day
from gateway.worker.lifecycle.ledger_file import DAYS_KEPT

from ..fakes import MONDAY

if TYPE_CHECKING:
    from typing import TextIO


def at(day: str) -> float:
    """A time on that day, in seconds since 1970."""
    return datetime.fromisoformat(f"{day}T12:00:00+08:00").timestamp()


class DayTests(SynchronousTestCase):
    def test_the_day_turns_at_eight_in_taipei(self) -> None:
        self.assertEqual(trading_day(MONDAY - 0.001), "2024-03-03")
        self.assertEqual(trading_day(MONDAY), "2024-03-04")
        self.assertEqual(trading_day(MONDAY + 24 * 3600 - 0.001), "2024-03-04")

    @hypothesis_settings(max_examples=200, deadline=None)
    @given(st.floats(0, 4e9))
    def test_the_next_day_begins_within_24_hours(self, now) -> None:
        then = next_day(now)
        self.assertTrue(0 < then - now <= 24 * 3600)
        self.assertEqual(trading_day(then - 1), trading_day(now))
        self.assertNotEqual(trading_day(then), trading_day(now))


class LedgerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()) / "state"
        self.alerts: list[str] = []

    def ledger(self) -> Ledger:
        return Ledger(self.folder, self.alerts.append)

    def test_starts_are_counted_by_day_and_kept(self) -> None:
        ledger = self.ledger()
        for day in ("2024-03-04", "2024-03-04", "2024-03-05"):
            ledger.count(at(day))
        for known in (ledger, self.ledger()):
            self.assertEqual((known.starts("2024-03-04"), known.starts("2024-03-05")), (2, 1))
        self.assertEqual(self.alerts, [])

    def test_workers_that_were_taken_over_are_counted_apart(self) -> None:
        ledger = self.ledger()
        for kind in ("days", "adoptions", "adoptions"):
            ledger.count(at("2024-03-04"), kind)
        self.assertEqual(ledger.starts("2024-03-04"), 1)
        self.assertEqual(self.ledger().starts("2024-03-04", "adoptions"), 2)
        record = json.loads((self.folder / "ledger.json").read_text())
        self.assertEqual(record["newest"], {"at": at("2024-03-04"), "adopted": True})

    def test_what_another_one_knew_is_known_once(self) -> None:
        """Two machines, or two gateways that have one file."""
        one, other = self.ledger(), self.ledger()
        elsewhere = Ledger(Path(self.mktemp()), self.alerts.append)
        for _ in range(3):
            one.count(at("2024-03-04"))
        one.keep_pause(123.5, 2)
        one.keep_scheduled(99.0)
        for ledger in (other, elsewhere):
            for _ in range(2):
                ledger.learn(one.told())
            self.assertEqual((ledger.starts("2024-03-04"), ledger.pause), (3, (123.5, 2)))
            self.assertEqual(ledger.scheduled, 99.0)
            ledger.count(at("2024-03-04"))
            self.assertEqual(ledger.told()["days"], {"2024-03-04": 4})
        self.assertEqual(self.ledger().starts("2024-03-04"), 4)

    def test_a_pause_that_is_over_before_ours_changes_nothing(self) -> None:
        one, elsewhere = self.ledger(), Ledger(Path(self.mktemp()), self.alerts.append)
        one.keep_pause(123.5, 2)
        elsewhere.keep_pause(200.0, 1)
        elsewhere.learn(one.told())
        self.assertEqual(elsewhere.pause, (200.0, 1))
        self.assertRaises(ValueError, one.learn, {"days": []})

    def test_nobody_else_can_read_it(self) -> None:
        self.ledger().count(at("2024-03-04"))
        self.assertEqual(self.folder.stat().st_mode & 0o777, 0o700)
        self.assertEqual((self.folder / "ledger.json").stat().st_mode & 0o777, 0o600)

    def test_two_gateways_share_it(self) -> None:
        one, other = self.ledger(), self.ledger()
        one.count(at("2024-03-04"))
        other.count(at("2024-03-04"))
        self.assertEqual(other.starts("2024-03-04"), 2)
        one.count(at("2024-03-04"))
        self.assertEqual(one.starts("2024-03-04"), 3)

    def test_old_days_are_forgotten(self) -> None:
        ledger = self.ledger()
        for day in range(1, 30):
            ledger.count(at(f"2024-03-{day:02}"))
        kept = json.loads((self.folder / "ledger.json").read_text())["days"]
        self.assertEqual(len(kept), DAYS_KEPT)
        self.assertIn("2024-03-29", kept)

    def test_the_pause_is_kept(self) -> None:
        self.assertEqual(self.ledger().pause, (0, 0))
        self.ledger().keep_pause(123.5, 2)
        self.assertEqual(self.ledger().pause, (123.5, 2))

    def test_a_folder_that_can_not_be_written_is_told_once_and_made_good_later(self) -> None:
        self.folder.parent.mkdir()
        self.folder.write_text("in the way")
        ledger = self.ledger()
        ledger.count(at("2024-03-04"))
        ledger.keep_pause(9.0, 1)
        ledger.count(at("2024-03-04"))
        self.assertEqual((ledger.starts("2024-03-04"), ledger.pause), (2, (9.0, 1)))
        self.assertEqual(len(self.alerts), 1)
        self.assertIn("--state-dir", self.alerts[0])
        self.folder.unlink()
        ledger.count(at("2024-03-04"))
        self.assertEqual(self.ledger().starts("2024-03-04"), 3)
        self.assertEqual(self.ledger().pause, (9.0, 1))

    def test_a_full_disk_keeps_the_old_content(self) -> None:
        ledger = self.ledger()
        ledger.count(at("2024-03-04"))

        def full(_: object, stream: TextIO) -> None:
            stream.write("{")
            raise OSError(28, "No space left on device")

        self.patch(json, "dump", full)
        ledger.count(at("2024-03-04"))
        self.assertIn("No space left", self.alerts[0])
        self.assertEqual(ledger.starts("2024-03-04"), 2)
        self.assertEqual(self.ledger().starts("2024-03-04"), 1)

    def test_a_lock_that_is_held_for_long_holds_nobody_up(self) -> None:
        self.patch(ledger_file, "LOCK_TRIES", 3)
        ledger = self.ledger()
        ledger.count(at("2024-03-03"))
        file = os.open(self.folder / "ledger.lock", os.O_RDWR)
        fcntl.flock(file, fcntl.LOCK_EX)
        ledger.count(at("2024-03-04"))
        self.assertEqual((ledger.starts("2024-03-04"), len(self.alerts)), (1, 1))
        os.close(file)
        ledger.count(at("2024-03-04"))
        self.assertEqual(self.ledger().starts("2024-03-04"), 2)

    def test_the_disk_holds_nobody_up_and_writes_that_pile_up_are_one(self) -> None:
        works: list[tuple[object, Deferred[object]]] = []

        def in_thread(work):
            works.append((work, Deferred()))
            return works[-1][1]

        ledger = Ledger(self.folder, self.alerts.append, in_thread)
        flushed = ledger.flush()
        self.successResultOf(flushed)
        for _ in range(10):
            ledger.count(at("2024-03-04"))
            ledger.keep_pause(9.0, 1)
        self.assertEqual((len(works), ledger.starts("2024-03-04")), (1, 10))
        flushed = ledger.flush()
        while works:
            self.assertNoResult(flushed)
            work, done = works.pop(0)
            done.callback(work())
        self.successResultOf(flushed)
        self.assertEqual(self.ledger().starts("2024-03-04"), 10)
        self.assertEqual(self.ledger().pause, (9.0, 1))

    def test_it_is_on_the_disk_before_it_has_its_name(self) -> None:
        """And the name is, too: a power cut leaves the old content, or the new."""
        done: list[str] = []
        sync, replace = os.fsync, os.replace

        def noted_sync(file: int) -> None:
            done.append("folder" if stat.S_ISDIR(os.fstat(file).st_mode) else "file")
            sync(file)

        def noted_replace(*paths: object) -> None:
            done.append("name")
            replace(*paths)

        self.patch(os, "fsync", noted_sync)
        self.patch(os, "replace", noted_replace)
        self.ledger().count(at("2024-03-04"))
        self.assertEqual(done, ["file", "name", "folder"])

    def test_a_damaged_file_is_told_and_begun_anew(self) -> None:
        for content in (
            "{",
            "[]",
            '{"days": {"x": "y"}}',
            '{"days": {}, "pause": 5}',
            "\ufffd",
            "[" * 100_000,
        ):
            with self.subTest(content=content[:100]):
                self.alerts.clear()
                self.folder.mkdir(parents=True, exist_ok=True)
                (self.folder / "ledger.json").write_text(content)
                ledger = self.ledger()
                self.assertIn("damaged", self.alerts[0])
                ledger.count(at("2024-03-04"))
                self.assertEqual(self.ledger().starts("2024-03-04"), 1)


class VersionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.file = self.folder / "ledger.json"
        self.alerts: list[str] = []

    def counted(self, record: dict[str, object]) -> int:
        """The starts that are known after one more, where the file holds `record`."""
        self.file.write_text(json.dumps(record))
        ledger = Ledger(self.folder, self.alerts.append)
        ledger.count(at("2024-03-04"))
        return ledger.starts("2024-03-04")

    def test_a_file_from_before_versions_goes_on_and_gets_one(self) -> None:
        self.assertEqual(self.counted({"days": {"2024-03-04": 7}}), 8)
        self.assertEqual(json.loads(self.file.read_text())["version"], 1)
        self.assertEqual(self.alerts, [])

    def test_what_a_later_gateway_added_is_kept(self) -> None:
        self.assertEqual(self.counted({"version": 1, "days": {}, "greeting": ["hello"]}), 1)
        self.assertEqual(json.loads(self.file.read_text())["greeting"], ["hello"])

    def test_a_later_version_is_left_alone_and_told(self) -> None:
        later = {"version": 2, "starts": []}
        self.assertEqual(self.counted(later), 1)
        self.assertEqual(json.loads(self.file.read_text()), later)
        (told,) = self.alerts
        self.assertIn("its version is 2, and this gateway knows 1", told)
        self.assertIn("go on with the version that wrote it", told)


class AdoptionTests(SynchronousTestCase):
    def test_workers_that_were_taken_over_are_counted_apart(self) -> None:
        folder = Path(self.mktemp())
        for _ in range(2):
            ledger = Ledger(folder, self.fail)
            ledger.count(at("2024-03-04"))
            ledger.count(at("2024-03-04"), "adoptions")
            ledger.count(at("2024-03-04"), "adoptions")
        again = Ledger(folder, self.fail)
        self.assertEqual(again.starts("2024-03-04"), 2)
        self.assertEqual(again.starts("2024-03-04", "adoptions"), 4)
