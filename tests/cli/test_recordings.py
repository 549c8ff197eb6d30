"""`python -m gateway recordings`."""

import json
from datetime import datetime
from pathlib import Path

from gateway.history.event_thread import Gap
from gateway.history.recorded_lines import gap_line, head_line, line
from gateway.history.zstd_file import compress
from gateway.market.hours import TAIPEI
from tests.cli.command_case import RecordingsCase

START = datetime(2026, 11, 30, 8, 45, tzinfo=TAIPEI).timestamp()


def tick(seconds: float, code: str) -> bytes:
    payload = json.dumps(["market_tick", {"code": code, "close": 1, "deep": {"code": "inner"}}])
    return line(START + seconds, payload.encode())


class RecordingsTests(RecordingsCase):
    def listed(self) -> list[dict]:
        _, out, _ = self.run_main("recordings", self.folder, "--json")
        return [json.loads(each) for each in out.splitlines()]

    def write_day(self) -> Path:
        return self.write(
            "2026-11-30-day",
            head_line(START, "0.1.0") + tick(0, "TXFR1") + tick(1, "2330"),
            tick(2, "TXFR1") + line(START + 3, b'["heartbeat",{"code":5}]', [b"x"], other=True),
            gap_line(Gap(START + 4, START + 9.5, 3120, "the disk is full")),
            head_line(START + 10, "0.1.0") + tick(11, "\u81fa") + line(START + 12, b'["bare"]'),
        )

    def test_what_a_recording_holds(self) -> None:
        path = self.write_day()
        (found,) = self.listed()
        gap = {
            "from": START + 4, "until": START + 9.5, "events": 3120, "reason": "the disk is full"
        }  # fmt: skip
        self.assertEqual(
            found,
            {
                "file": path.name, "day": "2026-11-30", "part": "day", "first": START,
                "last": START + 12, "events": 6, "codes": ["2330", "TXFR1", "\u81fa"],
                "starts": 2, "missing": 3120, "gaps": [gap], "bytes": path.stat().st_size,
                "cut": 0, "damage": "",
            },
        )  # fmt: skip

    def test_the_same_for_people(self) -> None:
        path = self.write_day()
        status, out, err = self.run_main("recordings", self.folder)
        head, row, missing, gap = out.splitlines()
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(head.split(), ["recording", "from", "to", "events", "codes", "bytes"])
        size = f"{path.stat().st_size:,}"
        self.assertEqual(
            row.split(),
            [path.name, "11-30", "08:45:00", "11-30", "08:45:12", "6", "3", size],
        )
        self.assertEqual(missing.strip(), "3,120 events are missing (gaps: 1):")
        self.assertEqual(gap.strip(), "11-30 08:45:04 to 11-30 08:45:09: 3,120 (the disk is full)")

    def test_the_night_comes_before_its_day_and_other_files_are_left_alone(self) -> None:
        for name in (
            "2026-11-30-day",
            "2026-11-30-night",
            "2026-11-30-day.2",
            "notes",
            "2026-13-01-day",
        ):
            self.write(name, tick(0, "TXFR1"))
        parts = [(each["file"], each["events"]) for each in self.listed()]
        names = ("2026-11-30-night", "2026-11-30-day", "2026-11-30-day.2")
        self.assertEqual(parts, [(f"{name}.jsonl.zst", 1) for name in names])

    def test_a_file_that_was_cut_off_is_counted_as_far_as_it_goes(self) -> None:
        path = self.write_day()
        whole = path.stat().st_size
        path.write_bytes(path.read_bytes() + compress(tick(13, "TXFR1"))[:-5])
        (found,) = self.listed()
        self.assertEqual((found["cut"], found["damage"]), (path.stat().st_size - whole, ""))
        status, out, _ = self.run_main("recordings", self.folder)
        self.assertEqual(status, 0)
        self.assertIn(f"its last {found['cut']} bytes are not whole", out)

    def test_a_damaged_file_is_said_to_be_one(self) -> None:
        path = self.write("2026-11-30-day", tick(0, "A"), tick(1, "B"), tick(2, "C"))
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data)
        self.write("2026-12-01-day", b"no line\n")
        (self.folder / "2026-12-02-day.jsonl.zst").write_bytes(b"no zstd at all")
        (self.folder / "2026-12-03-day.jsonl.zst").touch()
        self.write("2026-12-04-day", tick(0, "A"))
        self.write("2026-12-05-day", b'{"t":1796000000,"gap":{}}\n')
        damages = [each["damage"] for each in self.listed()]
        for damage, expected in zip(
            damages,
            ("is damaged", "no line of a", "is damaged", "^$", "^$", "missing required field"),
            strict=True,
        ):
            self.assertRegex(damage, expected)
        status, out, err = self.run_main("recordings", self.folder)
        self.assertEqual((status, err), (1, ""))
        self.assertEqual(out.count("    damaged, "), 4, out)

    def test_what_cannot_be_read_is_said(self) -> None:
        self.write("2026-11-30-day", tick(0, "A"))
        (self.folder / "2026-12-01-day.jsonl.zst").mkdir()
        self.assertEqual([each["events"] for each in self.listed()], [1, 0])
        self.assertIn("can't be read: it is no file", self.listed()[1]["damage"])

    def test_a_folder_without_recordings(self) -> None:
        status, out, err = self.run_main("recordings", self.folder)
        self.assertEqual((status, out), (1, ""))
        self.assertIn(f"--record {self.folder}' makes them", err)
        status, _, err = self.run_main("recordings", self.folder / "nowhere")
        self.assertEqual(status, 1)
        self.assertIn("can't be read: No such file or directory", err)

    def test_gaps_are_bounded_for_people(self) -> None:
        gaps = [gap_line(Gap(START + each, START + each, 1)) for each in range(8)]
        self.write("2026-11-30-day", b"".join(gaps))
        _, out, _ = self.run_main("recordings", self.folder)
        self.assertIn("8 events are missing (gaps: 8)", out)
        self.assertIn("... and 3 more", out)
