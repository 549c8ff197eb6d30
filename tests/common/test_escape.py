"""Characters that could forge a line of a log."""

import json
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.common.escape import escape, escape_line

DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
MARKS = "\u061c\u200e\u200f"


def is_unsafe(char: str) -> bool:
    return (
        unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}
        or unicodedata.bidirectional(char) in DIRECTIONS
        or char in MARKS
    )


class EscapeTests(SynchronousTestCase):
    def test_both_escape_the_same_characters_but_for_tabs(self) -> None:
        for char in map(chr, range(0x11000)):
            escaped = escape_line(char)
            self.assertEqual(escaped != char, is_unsafe(char), hex(ord(char)))
            if char != "\t":
                self.assertEqual(escape(char) == char, escaped == char, hex(ord(char)))

    def test_each_writes_them_in_its_way(self) -> None:
        text = "a\tb\x1b[31m\x00\r\x7f\x9b\u2028\u202e\u2066"
        self.assertEqual(escape(text), "a\tb\\x1b[31m\\x00\\x0d\\x7f\\x9b\\u2028\\u202e\\u2066")
        self.assertEqual(escape_line(text), r"a\tb\u001b[31m\u0000\r\u007f\u009b\u2028\u202e\u2066")

    def test_what_is_shown_as_it_is_stays(self) -> None:
        for function in (escape, escape_line):
            self.assertEqual(function("a \\ ä 中 \u200d"), "a \\ ä 中 \u200d")

    @settings(deadline=None)
    @given(st.text())
    def test_json_stays_valid(self, text: str) -> None:
        line = escape_line(json.dumps(text, ensure_ascii=False))
        self.assertEqual(json.loads(line), text)
