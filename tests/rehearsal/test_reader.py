"""What the reader makes of a recording."""

import json
from io import StringIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.history import zstd_file
from gateway.rehearsal import reader
from gateway.rehearsal.reader import first_time, known, show
from tests.rehearsal.recorded import BEGIN, FUTURE, STOCK, bidask, lines, tick, write


class ReaderTests(SynchronousTestCase):
    def recording(self, *events: tuple[float, list]) -> Path:
        return write(Path(self.mktemp()), list(events))

    def test_what_was_before_is_told_together_and_then_each_quote(self) -> None:
        path = self.recording(
            (0, ["market_contract", FUTURE]),
            (1, tick(1, "TXFL6", 5)),
            (2, tick(2, "TXFL6", 7)),
            (3, bidask(3, "TXFL6", 7)),
            (4, ["heartbeat", {"code": "TXFL6"}]),
            (61, tick(61, "TXFL6", 6)),
            (62, tick(62, "2330", 1200)),
            (63, ["market_contract", STOCK]),
        )
        out = StringIO()
        show(path, BEGIN + 61, out)
        state, *rest = map(json.loads, out.getvalue().splitlines())
        future, month, stock = state["contracts"]
        self.assertEqual((future, stock), (FUTURE, STOCK))
        self.assertEqual((month["code"], month["category"]), ("TXFL6", "TXF"))
        self.assertNotIn("target_code", month)
        self.assertEqual(state["ticks"]["TXFL6"]["price"], 7)
        self.assertEqual(state["bidasks"]["TXFL6"]["ask_price"], [8, 9])
        wall = 9 * 3600 + 20784 * 86400  # nine o'clock as if it were UTC
        self.assertEqual(state["bars"], {"TXFL6": [[wall, 5, 7, 5, 7, 4]]})
        self.assertEqual([(at - BEGIN, event["code"]) for at, _, event in rest],
                         [(61, "TXFL6"), (62, "2330")])  # fmt: skip

    def test_a_worker_that_tells_little_is_enough(self) -> None:
        little = ["market_tick", {"code": "TXFL6", "close": "23000.5"}]
        odd = (
            ["market_tick", {"code": 7}],
            ["market_tick", None],
            ["market_bidask", {"code": "A"}],
        )
        path = self.recording((1, little), *((2, each) for each in odd))
        out = StringIO()
        show(path, 0, out)
        state, *rest = map(json.loads, out.getvalue().splitlines())
        self.assertEqual(state["contracts"], [{"code": "TXFL6", "reference": 23000.5}])
        ((at, name, event),) = rest
        self.assertEqual(
            (at, name, event["price"], event["volume"]), (BEGIN + 1, "market_tick", 23000.5, 1)
        )
        self.assertEqual(event["datetime"], "2026-11-27T09:00:01+08:00")

    def test_what_is_read_only_in_part_is_known_all_the_same(self) -> None:
        """A login waits for this, so usual quotes are not read whole."""
        nested = ["market_tick", {**tick(3, "TXFL6", 9)[1], "more": {"code": "OTHER"}}]
        path = self.recording(
            (1, tick(1, "TXFL6", 5)),
            (2, tick(2, "TXFL6", 8)),
            (2, bidask(2, "TXFL6", 8)),
            (3, bidask(3, "TXFL6", 9)),
            (3, nested),
            (4, tick(4, "TXFL6", 6)),
            (5, tick(5, "TXFL6", 1, simtrade=True)),
            (6, bidask(6, "TXFL6", 7)),
            (7, tick(7, "2330", 1200)),
            (8, tick(8, "2330", 1201)),
        )
        wall = 9 * 3600 + 20784 * 86400
        state = known(path, BEGIN + 6)
        self.assertEqual(state["bars"], {"TXFL6": [[wall, 5, 9, 5, 6, 8]]})
        self.assertEqual(state["ticks"]["TXFL6"]["price"], 1)
        self.assertEqual(state["bidasks"]["TXFL6"]["bid_price"], [8, 7])
        self.assertEqual([each["code"] for each in state["contracts"]], ["TXFL6", "2330"])
        self.assertEqual(state["contracts"][1]["reference"], 1200)

    def test_a_login_reads_few_events_whole(self) -> None:
        read = []
        loads = json.loads
        self.patch(json, "loads", lambda text: (read.append(text), loads(text))[1])
        quotes = [(at, make(at, "TXFL6", 5)) for at in range(1, 500) for make in (tick, bidask)]
        path = self.recording(*quotes)
        for since in (0, 250, 999):
            read.clear()
            known(path, BEGIN + since)
            self.assertLess(len(read), 6)

    def test_of_what_comes_later_only_blocks_with_news_are_read(self) -> None:
        parsed = []
        parse = reader.parse
        self.patch(reader, "parse", lambda line: (parsed.append(line), parse(line))[1])
        usual = [(5, tick(5, "TXFL6", 5)), (5, bidask(5, "TXFL6", 5))] * 50
        nested = ["market_tick", {"more": {"code": "TXFL6"}, **tick(8, "2317", 200.0)[1]}]
        path = self.recording((1, tick(1, "TXFL6", 5)), (1, bidask(1, "TXFL6", 5)))
        for block in (
            usual,
            [*usual, (6, tick(6, "2330", 1200.0))],
            [*usual, (7, ["market_contract", STOCK])],
            [*usual, (8, nested)],
            usual,
        ):
            path.write_bytes(path.read_bytes() + zstd_file.compress(lines(block)))
        found = {each["code"]: each for each in known(path, BEGIN)["contracts"]}
        self.assertEqual(sorted(found), ["2317", "2330", "TXFL6"])
        self.assertEqual((found["2330"]["name"], found["2317"]["reference"]), ("台積電", 200.0))
        self.assertLess(len(parsed), 320)

    def test_where_it_begins(self) -> None:
        path = self.recording((0, ["market_contract", FUTURE]), (5, tick(5, "TXFL6", 5)))
        self.assertEqual(first_time(path), BEGIN + 5)
        nothing = self.recording((0, ["market_contract", FUTURE]))
        self.assertIn("no market_tick", str(self.assertRaises(ValueError, first_time, nothing)))
        damaged = Path(self.mktemp())
        damaged.write_bytes(b"no recording")
        self.assertRaises(ValueError, first_time, damaged)

    def test_a_cut_end_is_left_out(self) -> None:
        path = self.recording((1, tick(1, "TXFL6", 5)))
        whole = path.read_bytes()
        path.write_bytes(whole + zstd_file.compress(b'{"t":1,"e":["market_')[:-4])
        self.assertEqual(list(known(path, BEGIN + 9)["ticks"]), ["TXFL6"])
