"""Texts with many lists and objects: checked as all others, and not built."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import orjson
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.packet import Packet as EnginePacket
from gateway.relay.event import Keys
from gateway.socketio import packet as packets
from gateway.socketio import strict
from gateway.socketio.errors import ParseError
from gateway.socketio.packet import Packet, decode
from gateway.socketio.strict import (
    MANY,
    MAX_DEPTH,
    MAX_LARGE,
    Json,
    Members,
    is_expensive,
    loads,
    skim,
)
from tests.relay.world import RelayWorld
from tests.socketio.properties import examples
from tests.socketio.test_strict import DIRTY, JSON
from tests.untraced import untraced

LISTS = b",".join([b"[]"] * MANY)
PIECES = st.sampled_from(
    [
        b"[", b"]", b"{", b"}", b'"', b",", b":", b" ", b"\\", b"\\u", b"d800", b"dc00", b"0", b"1",
        b"-", b".", b"e", b"E+", b"999", b"1e400", b"NaN", b"-Infinity", b"null", b"nul", b"true",
        b"\xff", b"\xc3\xa9", b"\x00", b"\x01", b"\n", b"\x7f", b"a", b'"a":', b"\xed\xa0\x80",
    ]
)  # fmt: skip


FIELDS = st.sampled_from(["code", "symbol", "a b", "股票", "é", "", '"'])


def outcome(read: Any, text: bytes) -> tuple[bytes, int] | None:
    """The text that is handed on, and its repairs; None where it is refused."""
    try:
        found: Json = read(text)
    except ParseError:
        return None
    return found.text, found.repaired


class SkimmingTests(SynchronousTestCase):
    def agrees(self, text: bytes) -> None:
        self.assertEqual(outcome(skim, text), outcome(loads, text), text)

    @untraced
    @examples(400)
    @given(st.lists(PIECES, max_size=12).map(b"".join))
    def test_it_takes_what_is_taken_otherwise_and_nothing_else(self, pieces: bytes) -> None:
        self.agrees(b"[" + pieces + b"]")
        self.agrees(b'["x",' + pieces + b"]")

    @untraced
    @examples(200)
    @given(DIRTY)
    def test_it_repairs_what_is_repaired_otherwise(self, texts: tuple[str, str]) -> None:
        dirty, clean = (f'["x",{each}]'.encode(errors="surrogatepass") for each in texts)
        self.agrees(dirty)
        if outcome(loads, dirty) is not None:
            self.assertEqual(skim(dirty).text, clean)

    def test_what_only_one_of_the_parsers_refuses(self) -> None:
        for text in (
            b'["\xff"]', b'["\xed\xa0\x80"]', b"[1e400]", b"[1e309]", b"[-1E+0400]", b"[1e308]",
            b"[" + b"9" * 400 + b"]", b"[" + b"9" * 300 + b"]", b'["1e400"]', b"[NaN,1e400]",
            rb'["\ud800"]', rb'["\ud83d\ude00"]', b"[0.1e309]",
        ):  # fmt: skip
            self.agrees(text)

    def test_many_numbers_that_may_be_too_large(self) -> None:
        for number in (b"1e300", b"1e999", b"[],1e300"):
            for many in (MAX_LARGE, MAX_LARGE + 1):
                for last in (b"0", b"NaN", b"nul"):
                    self.agrees(b"[%b%b]" % ((number + b",") * many, last))

    def test_depth_is_bounded_all_the_same(self) -> None:
        for levels in (MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 100_000):
            self.agrees(b"[" * levels + b"]" * levels)

    @untraced
    @examples(100)
    @given(st.text(), st.dictionaries(FIELDS, JSON, max_size=4), st.lists(JSON))
    def test_it_knows_what_an_event_is_about(
        self, name: str, first: dict[str, Any], more: list[Any]
    ) -> None:
        value = [name, first, *more]
        text = json.dumps(value, ensure_ascii=False).encode()
        brief = skim(text).value
        if not isinstance(brief[1], Members):  # a number like 1e100 is in it: all of it is built
            return
        self.assertEqual(brief[0], name)
        self.assertEqual(len(brief), min(3, len(value)))
        for field, found in loads(text).value[1].items():
            omitted = isinstance(found, (list, dict)) and field != '"'
            self.assertEqual(brief[1].get(field), ... if omitted else found)
        self.assertEqual(brief[1].get("not there", 5), 5)

    def test_the_last_of_equal_members_counts_as_everywhere(self) -> None:
        text = b'["tick",{"code":"A","code":"B"}]'
        self.assertEqual(skim(text).value[1].get("code"), "B")
        self.assertEqual(orjson.loads(text)[1]["code"], "B")


class DearPacketTests(SynchronousTestCase):
    def decoded(self, text: bytes) -> Packet:
        """`text` decoded, which builds nothing."""
        with patch.object(strict, "parse", side_effect=AssertionError("it was built")):
            return decode(EnginePacket(text))

    def test_an_event_and_an_answer_are_handed_on_unread(self) -> None:
        for head in (b"42", b"4212", b"43" + b"7", b"42/name,"):
            text = head + b'["tick",{"code":"2330","rows":[%b]}]' % LISTS
            packet = self.decoded(text)
            self.assertEqual(packet.wire[0].data, text)
            self.assertEqual(Keys().of(packet.brief).code, "2330")

    def test_nothing_makes_it_worth_building(self) -> None:
        for odd, clean in (
            (b'"1e400"', b'"1e400"'),
            (b"1e300", b"1e300"),
            (b"1e400", b"null"),
            (b"NaN", b"null"),
            (rb'"\ud800"', rb'"\ud800"'),
        ):
            packet = self.decoded(b'42["x",%b,%b]' % (odd, LISTS))
            self.assertEqual(packet.payload, b'["x",%b,%b]' % (clean, LISTS))

    def test_its_value_is_there_for_who_asks(self) -> None:
        value = ["tick", {"code": "2330", "rows": [[]] * MANY}]
        packet = self.decoded(b"42" + orjson.dumps(value))
        self.assertEqual(packet.value, value)

    def test_it_is_refused_for_what_others_are_refused_for(self) -> None:
        for start in (b"", b'"connect",', b"{},", b"[],", b"null,"):
            with self.assertRaises(ParseError):
                self.decoded(b"42[" + start + LISTS + b"]")
        with self.assertRaises(ParseError):
            self.decoded(b'42["x",' + LISTS + b"}")

    def test_a_packet_that_is_cheap_to_build_is_built(self) -> None:
        text = b'["x",' + b",".join([b"[]"] * (MANY - 2)) + b"]"
        self.assertFalse(is_expensive(text))
        self.assertIs(type(decode(EnginePacket(b"42" + text))), Packet)

    def test_everybody_gets_its_bytes(self) -> None:
        world = RelayWorld()
        sender, receiver = world.client(), world.client(codes=["2330"])
        world.watcher.trusted.add(sender.reply["sid"])
        other = world.client(codes=["2317"])
        text = '42["tick",' + json.dumps({"code": "2330", "rows": [[]] * MANY}) + "]"
        with patch.object(packets.strict, "parse", side_effect=AssertionError("it was built")):
            sender.say(text)
            world.flush()
        self.assertEqual((receiver.heard, other.heard), ([text], []))

    def test_a_filter_that_is_dear_to_build_is_refused(self) -> None:
        world = RelayWorld()
        client = world.client(codes=["2330"])
        wish = {"codes": ["2317"], "more": [[]] * MANY}
        client.say('421["sjgateway:subscribe",' + json.dumps(wish) + "]")
        world.flush()
        (answer,) = client.heard
        self.assertIn("'codes' must be a list", str(answer))
