"""From bytes to lines."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.common.redact import Redactor
from gateway.worker.process.lines import LineRateLimit, OutputStream, Splitter, decode
from tests.worker.fakes import Time


def stream(
    told: list[str], limit: int = 100, rate: float = 1e9, burst: int = 10**6
) -> OutputStream:
    time = Time()
    return OutputStream(
        limit, LineRateLimit(rate, burst, time.seconds), str, told.append, reactor=time
    )


def ends(data: bytes) -> list[bytes]:
    """The lines of `data`: an empty one that CR ends is none, and LF after CR is the same end."""
    found, returned = [], False
    for line, end in re.findall(rb"([^\r\n]*)(\r|\n|$)", data):
        if line or (end == b"\n" and not returned):
            found.append(line)
        returned = end == b"\r"
    return found


class SplitterTests(SynchronousTestCase):
    @hypothesis_settings(max_examples=200, deadline=None)
    @given(
        st.lists(st.binary(max_size=30) | st.text("ab\r\n", max_size=9).map(str.encode)),
        st.integers(1, 20),
    )
    def test_any_split_gives_the_same_bounded_lines(self, chunks, limit) -> None:
        splitter = Splitter(limit)
        found = [line for chunk in chunks for line in splitter.feed(chunk)]
        found += splitter.flush()
        lines = ends(b"".join(chunks))
        self.assertEqual(found, [(line[:limit], max(0, len(line) - limit)) for line in lines])

    def test_an_endless_line_is_not_kept(self) -> None:
        splitter = Splitter(10)
        for _ in range(1000):
            self.assertEqual(list(splitter.feed(b"x" * 8192)), [])
        self.assertEqual(len(splitter.peek()[0]), 10)
        self.assertEqual(list(splitter.flush()), [(b"x" * 10, 8192000 - 10)])
        self.assertEqual(list(splitter.flush()), [])


class TextTests(SynchronousTestCase):
    def test_cjk_is_whole_whatever_the_chunks(self) -> None:
        text = "臺指期 漲停 𠮷"
        data = f"{text}\n".encode()
        for at in range(len(data)):
            told: list[str] = []
            tested = stream(told)
            tested.feed(data[:at])
            tested.feed(data[at:])
            self.assertEqual(told, [text])

    def test_a_cut_line_ends_with_a_whole_character(self) -> None:
        for limit in (3, 4, 5):
            told: list[str] = []
            stream(told, limit).feed("臺指期\n".encode())
            self.assertEqual(told, [f"臺 ({9 - limit} more bytes)"])

    def test_what_is_no_utf8_is_escaped(self) -> None:
        self.assertEqual(decode(b"a\xffb\xe8"), r"a\xffb\xe8")

    def test_the_end_of_a_windows_line_is_no_control_character(self) -> None:
        told: list[str] = []
        stream(told).feed(b"one\r\ntwo\rthree\r\n")
        self.assertEqual(told, ["one", "two", "three"])

    @hypothesis_settings(max_examples=300, deadline=None)
    @given(st.binary(max_size=200))
    def test_any_bytes_give_printable_lines(self, data) -> None:
        told: list[str] = []
        tested = stream(told)
        tested.feed(data)
        tested.flush()
        for line in told:
            self.assertEqual(len(line.splitlines()), min(1, len(line)))
            line.encode()


class GateTests(SynchronousTestCase):
    def test_a_burst_passes_and_then_the_rate(self) -> None:
        time = Time()
        gate = LineRateLimit(10.0, 100, time.seconds)
        self.assertEqual(sum(gate.passes() for _ in range(1000)), 100)
        passed = 0
        for _ in range(100):
            time.advance(0.1)
            passed += sum(gate.passes() for _ in range(100))
        self.assertTrue(80 <= passed <= 100, passed)

    def test_long_lines_are_bounded_by_their_bytes(self) -> None:
        time = Time()
        gate = LineRateLimit(200.0, 2000, time.seconds)
        total = 0
        for _ in range(120):
            total += sum(8192 for _ in range(100) if gate.passes(8192))
            time.advance(0.1)
        self.assertLess(total, 2_500_000)
        self.assertGreater(total, 1_000_000)

    def test_it_stays_shut_until_a_second_has_gathered(self) -> None:
        time = Time()
        gate = LineRateLimit(10.0, 100, time.seconds)
        while gate.passes():
            pass
        time.advance(0.5)
        self.assertFalse(gate.passes())
        time.advance(0.5)
        self.assertTrue(gate.passes())


class StreamTests(SynchronousTestCase):
    def test_dropped_lines_are_counted_and_the_last_ones_kept(self) -> None:
        told: list[str] = []
        tested = stream(told, burst=5, rate=1.0)
        tested.feed(b"".join(b"%d\n" % number for number in range(100)))
        tested.flush()
        self.assertEqual(told, [*"01234", "(95 lines dropped: too many at once)"])
        self.assertEqual(tested.last(), [str(number) for number in range(80, 100)])

    def test_lines_are_cleaned_before_they_are_escaped(self) -> None:
        told: list[str] = []
        time = Time()
        gate = LineRateLimit(9, 9, time.seconds)
        hide = lambda text: text.replace("s\x1bt", "***")  # noqa: E731 - short
        tested = OutputStream(100, gate, hide, told.append, reactor=time)
        tested.feed(b"s\x1bt\x1b\n")
        self.assertEqual((told, tested.last()), ([r"***\x1b"], [r"***\x1b"]))

    def test_the_last_lines_are_those_since_a_time(self) -> None:
        time = Time()
        tested = OutputStream(
            100, LineRateLimit(9, 9, time.seconds), str, lambda _: None, reactor=time
        )
        for word in (b"old\n", b"new\n"):
            tested.feed(word)
            time.advance(10)
        self.assertEqual((tested.last(), tested.last(since=5)), (["old", "new"], ["new"]))

    def unfinished(self, held=lambda _: 0, limit: int = 100, clean=str) -> OutputStream:
        self.time = Time()
        self.told: list[str] = []
        gate = LineRateLimit(1e9, 10**6, self.time.seconds)
        return OutputStream(limit, gate, clean, self.told.append, reactor=self.time, held=held)

    def test_a_prompt_is_told_within_two_seconds(self) -> None:
        tested = self.unfinished()
        tested.feed("密碼: ".encode())
        self.time.advance(0.9)
        self.assertEqual(self.told, [])
        self.time.advance(1)
        self.assertEqual(self.told, ["密碼: "])
        self.time.advance(100)
        tested.feed(b"\nnext\n")
        self.assertEqual(self.told, ["密碼: ", "next"])
        self.assertEqual(self.time.getDelayedCalls(), [])

    def test_lines_that_come_in_time_stay_whole(self) -> None:
        tested = self.unfinished()
        for _ in range(20):
            tested.feed(b" half\nand")
            self.time.advance(0.3)
        self.assertEqual(self.told, [" half"] + ["and half"] * 19)

    def test_half_a_character_waits_for_the_other(self) -> None:
        tested = self.unfinished()
        word = "臺指期".encode()
        tested.feed(word[:-1])
        self.time.advance(2)
        self.assertEqual(self.told, ["臺指"])
        tested.feed(word[-1:] + b"\n")
        self.assertEqual(self.told, ["臺指", "期"])

    def test_what_may_begin_a_secret_is_held_back(self) -> None:
        redactor = Redactor()
        redactor.learn("SECRETKEY123")
        for cut in range(1, 12):
            tested = self.unfinished(redactor.held, clean=redactor)
            tested.feed("key SECRETKEY123"[: 4 + cut].encode())
            self.time.advance(5)
            self.assertEqual(self.told, ["key "], cut)
            tested.feed(b"SECRETKEY123"[cut:] + b"\n")
            self.assertEqual(self.told, ["key ", "[redacted]"], cut)

    def test_the_rest_of_a_line_that_was_cut_is_only_counted(self) -> None:
        tested = self.unfinished(limit=10)
        tested.feed(b"x" * 15)
        self.time.advance(2)
        tested.feed(b"y" * 20 + b"\nnext\n")
        self.assertEqual(self.told, ["xxxxxxxxxx (5 more bytes)", " (20 more bytes)", "next"])

    def test_half_a_line_is_told_at_the_end(self) -> None:
        told: list[str] = []
        tested = stream(told)
        tested.feed(b"no end")
        self.assertEqual(told, [])
        tested.flush()
        self.assertEqual(told, ["no end"])
