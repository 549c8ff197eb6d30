"""Which events are read from recordings, and in which order."""

import math
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.common.times import LATEST
from gateway.engineio.packet import OVERHEAD
from gateway.history import reading
from gateway.history.event_thread import Gap
from gateway.history.recorded_lines import gap_line, head_line, line
from gateway.history.zstd_file import compress
from gateway.replay import tape as module
from gateway.replay.tape import Entry, Tape


def tick(t: float, number: int = 0) -> bytes:
    return line(t, b'["market_tick",{"code":"A","n":%d}]' % number)


class TapeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.warnings: list[str] = []

    def file(self, *lines: bytes, packed: bool = True) -> Path:
        path = Path(self.mktemp())
        frames = map(compress, (b"".join(lines[:2]), b"".join(lines[2:])))
        path.write_bytes(b"".join(frames if packed else lines))
        return path

    def tape(self, *paths: Path) -> Tape:
        return Tape(paths, self.warnings.append)

    def all(self, tape: Tape) -> list[Entry]:
        return list(tape.take(math.inf, 1 << 30))

    def test_each_event_is_as_it_was_recorded(self) -> None:
        odd = rb'["a", {"x" : 1.50, "s":"\",\"e\":["}, null]'
        lines = (
            head_line(99.0, "1"),
            line(100.0, odd),
            line(101.25, b'["b",{"_placeholder":true,"num":0}]', [b"\0\1"]),
            gap_line(Gap(102.0, 103.0, 5)),
            line(104.5, b'["c"]', other=True),
        )
        wanted = [
            Entry(100.0, odd),
            Entry(101.25, b'["b",{"_placeholder":true,"num":0}]', (b"\0\1",)),
            Entry(104.5, b'["c"]'),
        ]
        for packed in (True, False):
            tape = self.tape(self.file(*lines, packed=packed))
            self.assertEqual((tape.begins, self.all(tape)), (100.0, wanted))
        self.assertEqual(self.warnings, [])

    def test_the_recording_that_begins_first_is_the_first(self) -> None:
        night, day, empty = (
            self.file(tick(1, 1)),
            self.file(tick(2, 2)),
            self.file(head_line(0, "1")),
        )
        for paths in ((night, day, empty), (day, empty, night)):
            tape = self.tape(*paths)
            self.assertEqual([each.t for each in self.all(tape)], [1, 2])

    def test_events_are_taken_when_they_are_due(self) -> None:
        tape = self.tape(self.file(*map(tick, (1, 2, 3, 2.5, 9))))
        self.assertEqual(tape.next_time, 1)
        self.assertEqual(list(tape.take(0.5, 1000)), [])
        self.assertEqual([each.t for each in tape.take(2, 1000)], [1, 2])
        self.assertEqual([each.t for each in tape.take(3, 1000)], [3, 2.5])  # a clock was set back
        self.assertEqual([each.t for each in self.all(tape)], [9])
        self.assertIsNone(tape.next_time)

    def test_no_more_is_taken_than_there_is_room_for(self) -> None:
        tape = self.tape(self.file(*map(tick, range(5))))
        size = len(tick(0)) - len(line(0, b"")) + OVERHEAD
        self.assertEqual(len(list(tape.take(math.inf, 2 * size))), 2)
        self.assertEqual(len(list(tape.take(math.inf, 1))), 1)
        self.assertEqual(len(self.all(tape)), 2)

    def test_who_begins_in_the_middle_gets_what_holds_first(self) -> None:
        def contract(t: float, code: str, limit: int) -> bytes:
            return line(
                t, b'["market_contract",{"code":"%b","limit_up":%d}]' % (code.encode(), limit)
            )

        ready = line(1, b'["shioaji_ready",{}]')
        file = self.file(
            ready,
            contract(2, "A", 1),
            contract(3, "B", 1),
            tick(4),
            contract(5, "A", 2),
            tick(6),
            tick(7),
        )
        tape = self.tape(file)
        self.patch(module, "SLICE", 2)
        for _ in range(2):  # and back again
            *breaths, lasting = tape.seek(6)
            self.assertEqual([each for each in breaths if each], [])
            self.assertGreater(len(breaths), 1)
            self.assertEqual([each.t for each in lasting], [1, 3, 5])
            self.assertEqual([each.t for each in self.all(tape)], [6, 7])
        self.assertEqual(list(tape.seek(0))[-1], [])
        self.assertEqual(tape.next_time, 1)
        self.assertEqual([each.t for each in list(tape.seek(99))[-1]], [1, 3, 5])
        self.assertIsNone(tape.next_time)

    def test_lines_of_before_are_passed_over_together_unless_one_holds(self) -> None:
        contract = line(1, b'["market_contract",{"code":"A"}]')
        tapes = [
            self.tape(self.file(tick(1), first, tick(3), tick(4))) for first in (tick(2), contract)
        ]
        looked_at: list[int] = []
        entries = module._entries

        def look(block: bytes) -> Iterator[Entry]:
            looked_at.append(block.count(b"\n"))
            return entries(block)

        self.patch(module, "_entries", look)
        for tape, place, looks in ((tapes[0], 4, 1), (tapes[0], 2, 2), (tapes[1], 4, 2)):
            looked_at.clear()
            list(tape.seek(place))
            self.assertEqual([each.t for each in self.all(tape)][-1], 4)
            self.assertEqual(len(looked_at), looks)

    def test_what_holds_is_told_whatever_it_calls_its_code(self) -> None:
        lines = [
            line(n, b'["market_contract",%b]' % each)
            for n, each in enumerate((b'{"code":["x"]}', b'{"code":{}}', b'[{"code":1}]', b"NaN"))
        ]
        (lasting,) = self.tape(self.file(*lines, tick(9))).seek(9)
        self.assertEqual([each.t for each in lasting], [3])  # the newest without a code

    def test_a_time_that_is_not_in_seconds_is_told_and_ends_it(self) -> None:
        for wrong in (b"1796002200000", b"1e300", b"-5", b"%.1f" % (LATEST + 1)):
            self.warnings.clear()
            file = self.file(tick(1), b'{"t":%b,"e":["a"]}\n' % wrong, tick(2), packed=False)
            self.assertEqual([each.t for each in self.all(self.tape(file))], [1])
            self.assertIn("is no time in seconds since 1970", self.warnings[-1])

    def test_a_line_without_an_end_is_not_read_whole(self) -> None:
        self.patch(reading, "MAX_LINE", 100)
        file = self.file(tick(1), b"\0" * 1000, packed=False)
        self.assertEqual([each.t for each in self.all(self.tape(file))], [1])
        self.assertIn("is read no further", self.warnings[-1])

    def test_one_that_is_damaged_is_played_up_to_there_and_told(self) -> None:
        broken = self.file(tick(1), tick(2))
        broken.write_bytes(broken.read_bytes() + b"no zstd")
        cut = self.file(tick(3), tick(4), tick(5))
        cut.write_bytes(cut.read_bytes()[:-3])
        tape = self.tape(broken, cut, Path("missing"))
        self.assertEqual([each.t for each in self.all(tape)][:4], [1, 2, 3, 4])
        self.assertTrue(any(f"{broken} is read no further" in each for each in self.warnings))
        self.assertTrue(any("missing is read no further" in each for each in self.warnings))
        self.assertFalse(any(str(cut) in each for each in self.warnings))

    def test_without_any_event_there_is_nothing_to_play(self) -> None:
        for file in (self.file(head_line(1, "1")), Path("missing")):
            self.assertRaisesRegex(ValueError, "there is no event in", self.tape, file)

    def test_a_format_of_a_later_version_is_not_guessed_at(self) -> None:
        file = self.file(b'{"t":1.0,"recording":{"format":2,"gateway":"9"}}\n', tick(1))
        self.assertRaises(ValueError, self.tape, file)
        self.assertIn("has the format 2, not 1", self.warnings[0])
