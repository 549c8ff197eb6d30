"""`python -m gateway export`; what the bars are is tested by `tests.history.test_made_up_day`."""

import json
import os
from datetime import datetime

from gateway.history.recorded_lines import line
from gateway.market.hours import TAIPEI
from tests.cli.command_case import RecordingsCase

START = datetime(2026, 11, 30, 8, 45, tzinfo=TAIPEI).timestamp()
HEAD = "code,time,open,high,low,close,volume,partial"


def tick(seconds: float, price: float, code: str = "TXFL6", name: str = "market_tick") -> bytes:
    at = datetime.fromtimestamp(START + seconds, TAIPEI).isoformat()
    value = {"code": code, "datetime": at, "close": price, "volume": 2, "simtrade": False}
    return line(
        START + seconds + 0.1, json.dumps([name, value]).replace("_", "\\u005f", 1).encode()
    )


class ExportTests(RecordingsCase):
    def test_bars_as_csv_and_as_json(self) -> None:
        path = self.write("2026-11-30-day", tick(1, 23000), tick(2, 23001.5) + tick(61, 22999))
        self.assertEqual(
            self.run_main("export", path, "--bars", "1m", "--csv"),
            (
                0,
                f"{HEAD}\n"
                "TXFL6,2026-11-30T08:45:00+08:00,23000.0,23001.5,23000.0,23001.5,4,1\n"
                "TXFL6,2026-11-30T08:46:00+08:00,22999.0,22999.0,22999.0,22999.0,2,0\n",
                "",
            ),
        )
        _, out, _ = self.run_main("export", path, "--json", "--bars=1d")
        bar = {"open": 23000.0, "high": 23001.5, "low": 22999.0, "close": 22999.0, "volume": 6}
        time = "2026-11-30T08:45:00+08:00"
        self.assertEqual(json.loads(out), {"code": "TXFL6", "time": time, **bar, "partial": 1})

    def test_several_files_and_folders_in_any_order(self) -> None:
        late = self.write("2026-11-30-day.2", tick(120, 2))
        self.write("2026-11-30-day", tick(0, 1))
        _, out, _ = self.run_main("export", late, self.folder)
        times = [row.split(",")[1][11:16] for row in out.splitlines()[1:]]
        self.assertEqual(times, ["08:45", "08:47"])

    def test_a_file_that_is_named_twice_counts_once(self) -> None:
        path = self.write("2026-11-30-day", tick(1, 1))
        _, out, _ = self.run_main("export", path, self.folder, path)
        self.assertEqual([row.split(",")[6] for row in out.splitlines()[1:]], ["2"])

    def test_an_event_that_no_gateway_has_written_costs_only_itself(self) -> None:
        deep = b'["market_tick",{"code":"A","x":%b}]' % (b"[" * 100_000 + b"]" * 100_000)
        path = self.write("2026-11-30-day", tick(1, 1), line(START + 1, deep), tick(2, 2))
        status, out, err = self.run_main("export", path)
        self.assertEqual((status, out.count("\n")), (0, 2), err)
        self.assertIn("A market_tick is in no bar", err)

    def test_only_some_codes_and_into_a_file(self) -> None:
        path = self.write("2026-11-30-day", tick(0, 1) + tick(1, 5, "2330") + tick(2, 3, "2317"))
        output = self.folder / "bars.csv"
        status = self.run_main("export", path, "--codes", "2330,NONE", "--output", output)
        self.assertEqual(status, (0, "", ""))
        head, row = output.read_text().splitlines()
        self.assertEqual((head, row.split(",")[0]), (HEAD, "2330"))

    def test_more_bars_than_one_answer_holds_come_in_order(self) -> None:
        minutes = 6000
        path = self.write(
            "2026-11-30-day", b"".join(tick(60 * each, each + 1) for each in range(minutes))
        )
        _, out, _ = self.run_main("export", path)
        prices = [float(row.split(",")[2]) for row in out.splitlines()[1:]]
        # A tick of the last instant is part of the minute before: no price is lost.
        self.assertEqual(prices, sorted(prices))
        self.assertGreater(len(prices), 5000 + 900)

    def test_a_damaged_file_counts_up_to_that_place(self) -> None:
        path = self.write("2026-11-30-day", tick(0, 1), tick(60, 2), tick(120, 3))
        data = bytearray(path.read_bytes())
        data[-10] ^= 0xFF
        path.write_bytes(data)
        status, out, err = self.run_main("export", path)
        self.assertEqual((status, len(out.splitlines())), (1, 3))
        self.assertRegex(err, f"^sjgateway: {path}: the file is damaged .*before that counts\\n$")

    def test_a_file_of_a_folder_that_is_no_recording_is_told_and_left_out(self) -> None:
        self.write("2026-11-30-day", tick(0, 1))
        self.write("2026-11-27-day", b"no line\n")
        pipe = self.folder / "2026-11-26-day.jsonl.zst"
        os.mkfifo(pipe)
        status, out, err = self.run_main("export", self.folder)
        self.assertEqual((status, len(out.splitlines())), (1, 2))
        self.assertRegex(err, f"sjgateway: {pipe} is left out: .*it is no file")
        self.assertRegex(err, "2026-11-27-day.jsonl.zst is left out: this is no line")

    def test_a_recording_is_never_written_over(self) -> None:
        path = self.write("2026-11-30-day", tick(0, 1))
        before = path.read_bytes()
        status, out, err = self.run_main("export", self.folder, "--output", path)
        self.assertEqual((status, out), (2, ""))
        self.assertRegex(err, "is a recording, and would be lost\n$")
        self.assertEqual(path.read_bytes(), before)

    def test_a_tick_that_is_in_no_bar_is_told(self) -> None:
        path = self.write("2026-11-30-day", line(START, b'["market_tick",{"code":"A"}]'))
        status, out, err = self.run_main("export", path)
        self.assertEqual((status, out), (0, f"{HEAD}\n"))
        self.assertIn("A market_tick is in no bar: ", err)

    def test_what_cannot_be_used_is_one_line(self) -> None:
        path = self.write("2026-11-30-day", tick(0, 1))
        plain = self.folder / "notes"
        plain.write_text("no recording")
        (self.folder / "empty").mkdir()
        for arguments, expected in (
            ([self.folder / "nowhere"], "can't be read: No such file"),
            ([self.folder / ("a" * 300)], "can't be read: File name too long"),
            ([plain], "is no recording: "),
            ([self.folder / "empty"], "there is no recording in "),
            ([path, "--output", self.folder], "can't be written: Is a directory"),
            ([path, "--holiday-file", plain], "is no date such as 2027-01-01"),
        ):
            status, out, err = self.run_main("export", *arguments)
            self.assertIn(status, (1, 2), arguments)
            self.assertEqual((out, err.count("\n")), ("", 1), err)
            self.assertIn(expected, err)
