"""The names of recordings."""

from datetime import date
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.history.recordings_folder import Name, recordings


class NameTests(SynchronousTestCase):
    def test_a_name_is_read_as_it_was_written(self) -> None:
        for name in (Name(date(2026, 11, 30), "day"), Name(date(2026, 12, 1), "night", 2)):
            self.assertEqual(Name.parse(str(name)), name)
        self.assertEqual(str(Name(date(2026, 11, 30), "day")), "2026-11-30-day.jsonl.zst")
        self.assertEqual(str(Name(date(2026, 11, 30), "day", 2)), "2026-11-30-day.2.jsonl.zst")

    def test_other_names_are_no_recordings(self) -> None:
        for text in (
            "2026-13-30-day.jsonl.zst",
            "2026-11-30-noon.jsonl.zst",
            "2026-11-30-day.jsonl",
            "x2026-11-30-day.jsonl.zst",
            "2026-11-30-day.0.jsonl.zst",
            "",
        ):
            self.assertIsNone(Name.parse(text), text)

    def test_the_night_comes_before_its_day(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        names = (
            "2026-11-30-night.jsonl.zst",
            "2026-11-30-day.jsonl.zst",
            "2026-11-30-day.2.jsonl.zst",
            "2026-12-01-night.jsonl.zst",
        )
        for name in (*reversed(names), "notes.txt"):
            (folder / name).touch()
        self.assertEqual([path.name for _, path in recordings(folder)], list(names))
