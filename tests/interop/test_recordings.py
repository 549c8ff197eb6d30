"""Recordings of real gateways: by the commands, and by the tools of docs/recordings.md."""

import json
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.history.bar_query import COLUMNS
from gateway.history.reading import read
from gateway.history.recordings_folder import recordings
from gateway.history.zstd_file import compress
from gateway.market.hours import TAIPEI
from tests.deploy.programs import require
from tests.deploy.running import environment
from tests.history.made_up_day import ALIAS, MONTH, NO_TOTAL, OPTION, STOCK, MadeUpDay
from tests.history.test_made_up_day import Rows, assert_same, by_duckdb
from tests.interop.kept import Kept
from tests.interop.raw import RawClient
from tests.interop.service import ROOT, Browser, Service, started
from tests.optional import package
from tests.patience import PATIENCE
from tests.ports import free_port

BLOCK = re.compile(r"```(sh|sql|python)\n(.*?)```", re.DOTALL)
DOCUMENTS = [ROOT / "docs" / name for name in ("recordings.md", "recordings.zh-TW.md")]
DAY, NIGHT = "2026-11-30-day.jsonl.zst", "2026-11-30-night.jsonl.zst"
CODES = {"TXFR1": 23000.5, "2330": 1045.0, "TXO23000L6": 210.0}
"""Each with its last price."""
OURS = ("python_status", "feed_status")
TICKS = 40
"""Of each code."""


def tick(code: str, number: int) -> tuple[str, dict]:
    at = datetime.now(TAIPEI).isoformat()
    close = CODES[code] - TICKS + number
    value = {"code": code, "datetime": at, "close": close, "volume": 1, "simtrade": False}
    return "market_tick", {**value, "total_volume": number}


def ticks(first: int, last: int) -> list[tuple[str, dict]]:
    """Ticks of all codes, those with the numbers from `first` to `last`."""
    return [tick(code, number) for number in range(first, last + 1) for code in CODES]


def recorded(folder: Path) -> list[list]:
    """All events in the recordings that are not of the gateway itself, in order."""
    found = []
    for _, path in recordings(folder) if folder.exists() else ():
        events = [json.loads(line.payload) for line in read(path) if line.payload is not None]
        found += [event for event in events if event[0] not in OURS]
    return found


class Recorded:
    """What a gateway has recorded; `path` is the folder."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        self.path = folder / "recordings"
        port = free_port()
        options = ("--no-worker", "--publish=any", f"--record={self.path}")
        service = started(folder, *options, port=port)
        sender = RawClient(port)
        for number in range(1, TICKS + 1):  # several turns, so that there are several frames
            sender.emit(*ticks(number, number))
            if number == TICKS // 2:
                service.until("frame", lambda: recorded(self.path))
        service.until("last tick", lambda: len(recorded(self.path)) == TICKS * len(CODES))
        sender.close()
        service.close()
        # Whatever the time is, under the names that the document has.
        data = b"".join(path.read_bytes() for _, path in recordings(self.path))
        for _, path in recordings(self.path):
            path.unlink()
        (self.path / DAY).write_bytes(data)
        (self.path / NIGHT).write_bytes(data + compress(b"cut off")[:-3])

    def ended(self) -> None:
        """It stays."""

    def close(self) -> None:
        self._folder.cleanup()


made = Kept(Recorded)


def blocks(document: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(document.read_text(encoding="utf-8"))


class DocumentTests(SynchronousTestCase):
    """Each example of docs/recordings.md is run as it stands there."""

    def example(self, *words: str) -> str:
        """The one example that has all these words."""
        (found,) = [text for _, text in blocks(DOCUMENTS[0]) if all(word in text for word in words)]
        return found

    def run_in(self, folder: Path, *command: str) -> str:
        done = subprocess.run(
            command, cwd=folder, env=environment(), capture_output=True, text=True,
            check=False, timeout=PATIENCE,
        )  # fmt: skip
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def assert_numbers(self, printed: str) -> None:
        """Of each code how many ticks there were, and the last price, in a table."""
        for code, price in CODES.items():
            cells = rf"\b{code}\b\W+{TICKS}\W+{re.escape(str(price))}"
            self.assertRegex(printed, cells)

    def test_both_documents_have_the_same_examples(self) -> None:
        def plain(document: Path) -> list[str]:
            return [re.sub(" #.*", "", text) for _, text in blocks(document)]

        self.assertEqual(*map(plain, DOCUMENTS))

    def test_zstd_and_jq(self) -> None:
        require("zstdcat", "zstd")
        require("jq", "jq")
        printed = self.run_in(made(self).path, "bash", "-c", self.example("jq -r"))
        rows = [row.split(",")[1:] for row in printed.replace('"', "").splitlines()]
        expected = [
            (value["code"], value["close"], value["volume"]) for _, value in ticks(1, TICKS)
        ]
        found = [(code, float(close), int(volume)) for code, close, volume in rows]
        self.assertEqual(found, expected)

    def test_a_file_that_was_cut_off_is_saved(self) -> None:
        require("zstdcat", "zstd")
        folder = made(self).path
        self.addCleanup((folder / "whole.jsonl.zst").unlink, missing_ok=True)
        text = self.example("sed").replace("zstd -o", "zstd -q -o")
        self.run_in(folder, "bash", "-c", text)
        lines = sum(1 for _ in read(folder / DAY))
        self.assertEqual(sum(1 for _ in read(folder / "whole.jsonl.zst")), lines)

    def test_duckdb(self) -> None:
        duckdb = package("duckdb")
        text = self.example("time_bucket").replace(DAY, str(made(self).path / DAY))
        rows = duckdb.connect().execute(text).fetchall()
        sums = {code: sum(row[2] for row in rows if row[0] == code) for code in CODES}
        last = {row[0]: row[3] for row in rows}
        self.assertEqual(sums, dict.fromkeys(CODES, TICKS))
        self.assertEqual(last, CODES)

    def test_polars(self) -> None:
        package("polars")
        printed = self.run_in(made(self).path, sys.executable, "-c", self.example("polars"))
        self.assert_numbers(printed)

    def test_pandas(self) -> None:
        package("pandas")
        printed = self.run_in(made(self).path, sys.executable, "-c", self.example("pandas"))
        self.assert_numbers(printed)

    def test_python_alone(self) -> None:
        printed = self.run_in(made(self).path, sys.executable, "-c", self.example("json.loads"))
        rows = [row.split()[1:] for row in printed.splitlines()]
        expected = [[value["code"], str(value["close"])] for _, value in ticks(1, TICKS)]
        self.assertEqual(rows, expected)

    def test_the_commands(self) -> None:
        folder = made(self).path
        first, second = self.example("python -m gateway", "export").splitlines()
        self.addCleanup((folder.parent / "bars.csv").unlink, missing_ok=True)
        python = [sys.executable, *shlex.split(first)[1:]]
        listed = self.run_in(folder.parent, *python)
        size = f"{(folder / DAY).stat().st_size:,}"
        self.assertRegex(listed, rf"\n{DAY} .* {TICKS * len(CODES)} +{len(CODES)} +{size}\n")
        self.assertRegex(listed, rf"{NIGHT}.*\n    its last \d+ bytes are not whole")
        self.run_in(folder.parent, sys.executable, *shlex.split(second)[1:])
        head, *bars = (folder.parent / "bars.csv").read_text().splitlines()
        self.assertEqual(head, "code,time,open,high,low,close,volume,partial")
        last = {bar.split(",")[0]: float(bar.split(",")[5]) for bar in bars}
        self.assertEqual(last, CODES)


class KilledTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)
        self.recordings = self.folder / "recordings"

    def gateway(self, *options: str, port: int, **environ: str) -> Service:
        service = started(
            self.folder, f"--record={self.recordings}", *options, port=port, **environ
        )
        self.addCleanup(service.close)
        return service

    def test_a_made_up_day_is_recorded_over_a_kill_and_its_bars_are_those_of_duckdb(self) -> None:
        """Its trades are of the last Monday, and come as fast as they can be sent."""
        today = datetime.now(TAIPEI).date()
        day = MadeUpDay(today - timedelta(days=(today.weekday() or 7) + 3), ticks=250)
        events = [(step.wall, step.name, dict(step.value)) for step in day.steps if not step.other]
        noon = day.at(today - timedelta(days=today.weekday() or 7), "10:05:40")
        sent: list[list] = []
        port = free_port()  # by which the file of bars is named
        for number in (signal.SIGKILL, signal.SIGTERM):
            service = self.gateway("--no-worker", "--publish=any", port=port)
            sender = RawClient(port)
            part = [[*event] for wall, *event in events if event[0]
                    and (wall < noon) == (number == signal.SIGKILL)]  # fmt: skip
            sender.emit(*part)
            sent += [event for event in part if event[0] not in OURS]
            self.until_recorded(service, len(sent))
            bars = self.bars(service, MONTH, NO_TOTAL, OPTION, STOCK)
            service.stop(number)
            sender.close()
        files = [path for _, path in recordings(self.recordings)]
        self.assertTrue(recorded(self.recordings) == sent)
        assert_same(self, bars, by_duckdb(files))
        found = self.listed()
        self.assertGreater(sum(each["events"] for each in found), len(sent))  # and ours
        codes = {code for each in found for code in each["codes"]}
        self.assertEqual(codes, {ALIAS, MONTH, NO_TOTAL, OPTION, STOCK})
        self.assertGreaterEqual(sum(each["starts"] for each in found), 2)
        told = {(each["missing"], each["cut"], each["damage"]) for each in found}
        self.assertEqual(told, {(0, 0, "")})

    def bars(self, service: Service, *codes: str) -> Rows:
        """What `/bars` answers, sorted by code and time."""
        found = []
        for code in sorted(codes):
            status, answer = service.request(f"/bars?code={code}")
            self.assertEqual((status, answer["cut"]), (200, False))
            columns = zip(*(answer["bars"][name] for name in COLUMNS), strict=True)
            found += [(code, *row, row[0] in answer["partial"]) for row in columns]
        return found

    def until_recorded(self, service: Service, number: int) -> None:
        service.until("record", lambda: len(recorded(self.recordings)) == number)

    def listed(self) -> list[dict]:
        done = subprocess.run(
            [sys.executable, "-m", "gateway", "recordings", str(self.recordings), "--json"],
            env=environment(), capture_output=True, text=True, check=True, timeout=PATIENCE,
        )  # fmt: skip
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_nothing_of_a_demonstration_is_left_for_a_real_start(self) -> None:
        """With the same state folder, folder of recordings, and code."""
        port = free_port()
        service = self.gateway(f"--main={ROOT / 'main.py'}", "--demo", port=port)
        browser = Browser(service.url)
        self.addCleanup(browser.close)
        browser.hears("market_tick", code="TXFR1", demo=True)

        def bars() -> list:
            return service.request("/bars?code=TXFR1")[1]["bars"]["close"]

        service.until("bar of the demonstration", bars)
        self.assertTrue(service.request("/bars?code=TXFR1")[1]["demo"])
        browser.close()
        service.stop()
        self.assertEqual(recorded(self.recordings), [])
        service = self.gateway("--no-worker", "--publish=any", port=port)
        answer = service.request("/bars?code=TXFR1")[1]
        self.assertEqual((answer["bars"]["close"], answer["demo"]), ([], False))
        sender = RawClient(port)
        sender.emit(tick("TXFR1", 1))
        service.until("record", lambda: recorded(self.recordings))
        service.until("bar", bars)
        price = CODES["TXFR1"] - TICKS + 1
        self.assertEqual(bars(), [price])
        self.assertEqual([event[1]["close"] for event in recorded(self.recordings)], [price])
        sender.close()
