"""What stands in the lines of a recording."""

import json
from pathlib import Path

import orjson
from twisted.trial.unittest import SynchronousTestCase

from gateway.history import recorded_lines
from gateway.history.event_thread import Gap

DOCS = Path(__file__).parents[2] / "docs"
PAYLOAD = b'["market_tick",{"code":"TXFR1", "close":23000.50}]'


class LineTests(SynchronousTestCase):
    def test_the_arguments_stand_there_byte_for_byte(self) -> None:
        line = recorded_lines.line(1764468000.1234567, PAYLOAD)
        self.assertEqual(line, b'{"t":1764468000.123457,"e":' + PAYLOAD + b"}\n")
        found = recorded_lines.parse(line)
        self.assertEqual((found.t, found.payload), (1764468000.123457, PAYLOAD))
        self.assertEqual((found.attachments, found.other), ((), False))

    def test_attachments_are_base64_in_their_order(self) -> None:
        payload = b'["chart",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
        line = recorded_lines.line(1.5, payload, (b"\x00\x01\x02", b""))
        self.assertEqual(json.loads(line)["b"], ["AAEC", ""])
        found = recorded_lines.parse(line)
        self.assertEqual((found.payload, found.attachments), (payload, (b"\x00\x01\x02", b"")))

    def test_a_line_is_one_line_whatever_stands_between_the_tokens(self) -> None:
        line = recorded_lines.line(1.5, b'[\r\n"a",\n{"b":\n"\\n"}]')
        self.assertEqual(line.count(b"\n"), 1)
        self.assertNotIn(b"\r", line)
        self.assertEqual(json.loads(line)["e"], ["a", {"b": "\n"}])

    def test_lines_that_are_made_together_are_those_of_each_or_none_are_made(self) -> None:
        payloads = [b'["tick",{"a":%d}]' % each for each in range(3)]
        texts = [b"42" + payloads[0], b"42/x,17" + payloads[1], b"42" + payloads[2]]
        walls = [1764468000.0, 1764468000.1, 1764468000.2]
        each = list(map(recorded_lines.line, walls, payloads))
        self.assertEqual(recorded_lines.plain_lines(walls, texts), each)
        for odd in (
            b'42["a",\n1]',
            b'42["a",\r1]',
            b'42["a","\\ud800"]',
            b'42["a","\\uD800"]',
            b'42["a",{"demo":true}]',
            b'42["a",{"replay": true}]',
            b'42["a",{"rehearsal":true}]',
            b"42",
        ):
            self.assertIsNone(recorded_lines.plain_lines(walls, [*texts[:2], odd]), odd)

    def test_a_line_of_somebody_else_says_so(self) -> None:
        line = recorded_lines.line(1.5, PAYLOAD, other=True)
        self.assertEqual(json.loads(line)["from"], "other")
        self.assertEqual(
            (recorded_lines.parse(line).other, recorded_lines.parse(line).payload), (True, PAYLOAD)
        )

    def test_a_gap_says_how_many_events_are_missing_and_why(self) -> None:
        line = recorded_lines.gap_line(Gap(1.25, 3.5, 7, 'no "room"'))
        found = recorded_lines.parse(line)
        self.assertEqual(found.t, 1.25)
        self.assertEqual(found.gap, {"until": 3.5, "events": 7, "reason": 'no "room"'})
        self.assertIsNone(found.payload)

    def test_a_head_says_the_format_and_the_gateway(self) -> None:
        found = recorded_lines.parse(recorded_lines.head_line(1.25, "0.1.0"))
        self.assertEqual(found.recording, {"format": 1, "gateway": "0.1.0"})

    def test_what_is_no_line_is_said_to_be_none(self) -> None:
        for text in (
            b"",
            b"{}",
            b'{"t":1}',
            b'{"t":1,"e":[',
            b'{"t":1,"b":["?"],"e":["a"]}',
            b"[]",
            b'{"t":1e12,"e":["a"]}',
            b'{"t":-1,"e":["a"]}',
            b'{"t":1,"gap":{}}',
            b'{"t":1,"gap":{"until":"2","events":1,"reason":"r"}}',
            b'{"t":1,"gap":{"until":2e12,"events":1,"reason":"r"}}',
            b'{"t":1,"gap":{"until":2,"events":-1,"reason":"r"}}',
        ):
            self.assertRaises(ValueError, recorded_lines.parse, text)

    def test_all_that_the_relay_takes_can_be_read(self) -> None:
        for payload in (
            b'["a","\\ud83d\\ude00"]',
            b'["a",1e308,-0.0]',
            b'["a"]',
            '["臺"]'.encode(),
        ):
            self.assertEqual(
                recorded_lines.parse(recorded_lines.line(1.5, payload)).payload, payload
            )

    def test_half_of_a_surrogate_pair_spoils_no_file(self) -> None:
        for sent, written in (
            (rb"\ud800", rb"\ufffd"),
            (rb"\uDC00\uD83D\uDE00\udead", rb"\ufffd\uD83D\uDE00\ufffd"),
            (rb"\ud83d\ud83d\ude00 \ud83dA", rb"\ufffd\ud83d\ude00 \ufffdA"),
            (rb"\\ud800", rb"\\ud800"),
            (rb"\\\ud800\"\udbff", rb"\\\ufffd\"\ufffd"),
        ):
            line = recorded_lines.line(1.5, b'["a","%b"]' % sent)
            self.assertEqual(recorded_lines.parse(line).payload, b'["a","%b"]' % written)
            orjson.loads(line)

    def test_the_payload_follows_the_head_of_the_packet(self) -> None:
        for head in (b"42", b"4217", b"452-", b"451-33"):
            self.assertEqual(recorded_lines.payload_of(head + PAYLOAD), PAYLOAD)

    def test_the_lines_of_the_document_are_those_that_are_made(self) -> None:
        documents = [DOCS / "recordings.md", DOCS / "recordings.zh-TW.md"]
        blocks = [
            path.read_text("utf-8").split("```json\n")[1].split("```")[0] for path in documents
        ]
        self.assertEqual(blocks[0], blocks[1])
        for text in blocks[0].encode().splitlines(keepends=True):
            found = recorded_lines.parse(text)
            if found.gap:
                gap = found.gap
                made = recorded_lines.gap_line(
                    Gap(found.t, gap["until"], gap["events"], gap["reason"])
                )
            elif found.recording:
                made = recorded_lines.head_line(found.t, found.recording["gateway"])
            else:
                assert found.payload is not None
                made = recorded_lines.line(found.t, found.payload, found.attachments)
            self.assertEqual(made, text)

    def test_what_is_not_the_market_s_own_is_known_by_its_mark(self) -> None:
        for payload, is_made_up in (
            (b'["a",{"x":1,"demo":true}]', True),
            (b'["a",{"demo" : true}]', True),
            (b'["a",1,{"demo":true}]', True),
            (b'["a",{"replay":true}]', True),
            (b'["a",{"rehearsal":true}]', True),
            (b'["a",{"demo":false}]', False),
            (b'["a",{"demo":1}]', False),
            (b'["a",{"x":"\\"demo\\":true"}]', False),
            (b'["a",{"x":{"demo":true}}]', False),
            (b'["demo",true]', False),
            (b'["a",{"demo":true,"x":"\\ud800"}]', True),
            (b'["demo",' + b"[" * 5000 + b"]" * 5000 + b"]", False),
        ):
            self.assertIs(recorded_lines.is_made_up(payload), is_made_up, payload[:60])
