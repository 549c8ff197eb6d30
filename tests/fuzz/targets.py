"""What is attacked, with which bytes, and what must hold afterwards."""

import json
from contextlib import suppress
from datetime import datetime
from random import Random

import orjson

from gateway.engineio.packet import Packet as EnginePacket
from gateway.history.bar_keeper import BarKeeper
from gateway.history.bar_query import QuestionError, read_question
from gateway.history.bar_questions import Asked
from gateway.market.hours import TAIPEI, Calendar
from gateway.relay.event import Event, Subject
from tests.fuzz.mutate import Mutator
from tests.fuzz.whole import Whole
from tests.web.peer import REQUEST, TEXT, frame, frames

HOST = b"Host: localhost\r\n"
KEYS = b'{"apiKey":"a","secretKey":"b","caCertPath":"/c","caPassword":"d"}'


class Target:
    """Random input for one format.  Raises AssertionError when something is not as it must be."""

    samples: tuple[bytes, ...]
    pieces: tuple[bytes, ...]

    def __init__(self, seed: int) -> None:
        self._whole = Whole()
        self._mutator = Mutator(Random(seed), self.samples, self.pieces)
        self.runs = 0

    def run(self) -> None:
        """Try one input."""
        data = self._mutator.next()
        self.runs += 1
        try:
            self.attack(data)
            if self.runs % 100 == 0:
                self._whole.check()
        except Exception as error:
            error.add_note(f"run {self.runs}, input: {data!r}")
            raise

    def attack(self, data: bytes) -> None:
        raise NotImplementedError


class Http(Target):
    """Bytes of HTTP, from the request line on."""

    samples = (
        b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /logs?lines=7&x=%41 HTTP/1.1\r\n" + HOST + b"Origin: http://localhost:3000\r\n\r\n",
        b"POST /set-sj-key?wait=ready HTTP/1.1\r\n" + HOST
        + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(KEYS) + KEYS,
        b"POST /set-sj-key HTTP/1.1\r\n" + HOST
        + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 17\r\n\r\n"
        b"apiKey=a&secret=%",
        b"POST /restart-python?force HTTP/1.1\r\n" + HOST
        + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n",
        b"OPTIONS /restart-python HTTP/1.1\r\n" + HOST + b"Origin: http://[::1]:3000\r\n"
        b"Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: a, b\r\n\r\n",
        b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /readyz HTTP/1.0\r\nConnection: keep-alive\r\nForwarded: for=1\r\n\r\n",
        b"HEAD /status HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\n\r\n",
        REQUEST,
    )  # fmt: skip
    pieces = (
        b"\r\n", b"\r\n\r\n", b"\n", b"\r", b": ", b"Content-Length: 5\r\n", b"ffffffffffffffffff",
        b"Transfer-Encoding: chunked\r\n", b"Host: localhost\r\n", b"Origin: null\r\n", b"HTTP/1.1",
        b"Upgrade: websocket\r\n", b"Connection: close\r\n", b"%", b"%00", b"..%2f", b"?", b"&",
        b"0\r\n\r\n", b"POST ", b"GET ", b"/socket.io/", b"X: " + b"y" * 5000 + b"\r\n",
    )  # fmt: skip

    def attack(self, data: bytes) -> None:
        answer = self._whole.send(self._mutator.cuts(data)).kernel.sent
        assert not answer or answer.startswith((b"HTTP/1.0 ", b"HTTP/1.1 ")), answer
        for word in (b"Traceback", b"<html", b"/twisted/", b" 500 "):
            assert word not in answer, answer


class WebSocket(Target):
    """Bytes of a WebSocket connection, after the upgrade."""

    samples = (
        frame(b"40") + frame(b'42["tick",{"code":"TXF"}]'),
        frame(b"40") + frame(b'451-["bin",{"_placeholder":true,"num":0}]') + frame(b"\0\1", 2),
        frame(b"40/x,{}") + frame(b"3") + frame(b"1"),
        frame(b"4", fin=False) + frame(b"0", 0),
        frame(b"", 9) + frame(b"hello", 10) + frame(b"\x03\xe8", 8),
        frame(b"40") + frame(b'42["a","\xe5\xaf\x86"]') + frame(b"x" * 200),
        frame(b"40") + frame(b"y" * 66_000),
    )
    pieces = (
        b"\x81\x80", b"\x82\xff", b"\x01\x81", b"\x88\x80", b"\x89\xfe\xff\xff", b"\xc1\x85",
        b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\x81\xfe\x00\x01", b"\x00\x80",
    )  # fmt: skip

    def attack(self, data: bytes) -> None:
        self._whole.send([REQUEST, *self._mutator.cuts(data)])


class Payload(Target):
    """Bodies of Engine.IO's long-polling."""

    samples = (
        b"40",
        b'40\x1e42["tick",1]\x1e3',
        b'40\x1e451-["bin",{"_placeholder":true,"num":0}]\x1ebAQIDBA==',
        b"2:4016:42[\"a\",\"\xe5\xaf\x86\xe7\xa2\xbc\"]",
        b"\x00\x02\xff40\x01\x03\xff\x04\1\2",
        b"1", b"6", b"5", b"2probe",
    )  # fmt: skip
    pieces = (b"\x1e", b"b", b"b4", b"4", b"42", b"::", b"9999999999:", b"\xff", b"\x1e" * 2000)

    def attack(self, data: bytes) -> None:
        for version in (b"4", b"3"):
            path = b"/socket.io/?EIO=%b&transport=polling" % version
            opened = self._whole.send([b"GET %b HTTP/1.1\r\n" % path + HOST + b"\r\n"]).kernel.sent
            sid = opened.partition(b'"sid":"')[2].partition(b'"')[0]
            kind = b"application/octet-stream" if version == b"3" else b"text/plain"
            lines = b"%bContent-Type: %b\r\nContent-Length: %d\r\n" % (HOST, kind, len(data))
            post = b"POST %b&sid=%b HTTP/1.1\r\n%b\r\n" % (path, sid, lines)
            answer = self._whole.send([post, *self._mutator.cuts(data)]).kernel.sent
            assert answer[9:12] in (b"200", b"400", b"413"), answer


class Packet(Target):
    """Socket.IO packets, well framed."""

    relayed = 0
    """Events that reached the healthy client."""

    samples = (
        b'42["tick",{"code":"TXF","price":1.5,"n":null}]',
        b'4213["ask",[],true,"\\u5bc6"]',
        b'431["answer"]',
        b"41",
        b"40",
        b'40/x,{"token":"y"}',
        b'452-1["two",{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]]',
        b'42["nan",NaN,{"x":-Infinity,"y":1e400}]',
        b'42["sjgateway:subscribe",{"events":["a"],"codes":[1]}]',
    )
    pieces = (
        b"[", b"]", b"{", b"}", b'"', b",", b"NaN", b"1e999", b"\\ud800", b"-", b"/", b"[" * 2000,
        b'{"a":' * 200, b"9" * 400, b"99999999999999999999", b"\xed\xa0\x80",
        b'"_placeholder":true',
    )  # fmt: skip

    def attack(self, data: bytes) -> None:
        heard = len(self._whole.healthy.kernel.sent)
        self._whole.send([REQUEST, frame(b"40"), frame(data), frame(b"\1\2\3", 2), frame(b"\4", 2)])
        for opcode, text in frames(self._whole.healthy.kernel.sent[heard:]):
            if opcode == TEXT and text.startswith(b"4"):
                event = json.loads(text[text.index(b"[") :], parse_constant=_no_json)
                assert isinstance(event[0], str), text
                self.relayed += 1


class Bars(Target):
    """Events of which bars are made, and questions for them, as JSON: `[name, argument]`."""

    answered = 0
    """Questions that were answered with bars."""

    samples = (
        b'["market_tick",{"code":"A","datetime":"2026-11-30T09:00:01","price":1,"volume":2}]',
        b'["market_tick",{"code":"A","datetime":"2026-11-30T13:45:00.5+08:00","close":"1.5",'
        b'"volume":2,"total_volume":7,"simtrade":false}]',
        b'["market_kbars",{"code":"A","ts":[1796029260000000000],"Open":[1],"High":[2],"Low":[1],'
        b'"Close":[2],"Volume":[3]}]',
        b'["market_contract",{"code":"R","target_code":"A"}]',
        b'["shioaji_ready",{"demo":true}]',
        b'["python_status",{"status":"exited"}]',
        b'["ask",{"code":"A","interval":"5m","from":"2026-11-30","to":1796040000,"session":"day"}]',
        b'["ask",{"code":"R","interval":"1s","from":"2026-11-30T09:00 08:00"}]',
        b'["ask",{"code":"A"}]',
    )
    pieces = (
        b"null", b"true", b"{}", b"[]", b'""', b"1.7e308", b"-1", b"9" * 18, b'"1d"', b'"R"',
        b'"2026-11-30T05:00:00"', b'"2026-11-28"', b"0.01", b'"replay":true,', b"\u0000",
    )  # fmt: skip

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._now = datetime(2026, 11, 30, 14, tzinfo=TAIPEI).timestamp()
        self._keeper = BarKeeper(
            Calendar(),
            None,
            days=30,
            wall=lambda: self._now,
            log=lambda _: None,
            on_problem=self._fail,
            clock=lambda: 0.0,
        )
        self._keeper.begin()

    def attack(self, data: bytes) -> None:
        try:
            name, argument = orjson.loads(data)
        except (TypeError, ValueError):
            return  # the relay has read it before
        if not isinstance(name, str):
            return
        if name == "ask" and isinstance(argument, dict):
            self._ask(argument)
        packets = (EnginePacket(b"42" + data),)
        event = Event(packets, None, Subject(name, None, None), True, self._now, True)
        self._keeper.take([event])

    def _ask(self, fields: dict) -> None:
        with suppress(QuestionError):
            answers = []
            self._keeper.questions.ask(Asked(read_question(fields), "someone", answers.append))
            self._keeper.tick()
            found = json.loads(answers[0].body, parse_constant=_no_json)
            assert len({len(column) for column in found["bars"].values()}) == 1, found
            assert found["bars"]["time"] == sorted(set(found["bars"]["time"])), found
            self.answered += bool(found["bars"]["time"])

    def _fail(self, text: str) -> None:
        assert not text, text


def _no_json(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


TARGETS: dict[str, type[Target]] = {
    "http": Http,
    "websocket": WebSocket,
    "payload": Payload,
    "packet": Packet,
    "bars": Bars,
}
