"""The list: every kind of input that a stranger can send.

A `unit` is the smallest whole thing of its kind, as it stands on the wire.  Its size is
compared with a plain event of the same size, that is sent in the same way: over the same
WebSocket, or as the body of a POST.
"""

from __future__ import annotations

import zlib
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.client import frame

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = b"a token for looking on"
KEYS = 10_000
"""Newest quotes that are kept for late joiners: a filter looks through them."""

PLACEHOLDER = b'{"_placeholder":true,"num":0}'


class Way(Enum):
    """How an input comes in."""

    HTTP = "HTTP"
    """Requests on one connection; each answer is read before the next is sent."""
    CONNECTION = "HTTP, one connection each"
    WEBSOCKET = "WebSocket"
    POLLING = "POST"
    """The bodies of POSTs of one polling session."""


class Input(NamedTuple):
    """One kind of input.

    `count` units are sent on each of `clients` connections; `known`: after authentication.
    `parts`: messages, frames or requests in a unit, each compared with an event of its size.
    `means`: the bytes that a unit stands for, where it is compressed.  `unread`: nothing that
    comes back is read.
    """

    name: str
    way: Way
    known: bool
    unit: bytes
    count: int
    clients: int = 1
    parts: int = 1
    means: int = 0
    unread: bool = False

    @property
    def size(self) -> int:
        """Bytes of the plain events that a unit is compared with."""
        return (self.means or len(self.unit)) // self.parts


def event(size: int) -> bytes:
    """A plain event that takes `size` bytes as a WebSocket frame, or the smallest there is."""
    for header in (6, 8, 14):
        data = b'42["%b"]' % (b"a" * max(1, size - header - len(b'42[""]')))
        if len(frame(data)) >= size:
            return frame(data)
    raise AssertionError(size)


def control(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """A short frame with a mask of zeros."""
    return bytes((opcode | 0x80 * fin, 0x80 | len(payload))) + bytes(4) + payload


def binary(data: bytes) -> bytes:
    """A binary message."""
    return b"\x82" + frame(data)[1:]


def deflated(text: bytes) -> bytes:
    """A compressed text message."""
    squeezer = zlib.compressobj(9, wbits=-15)
    squeezed = squeezer.compress(text) + squeezer.flush(zlib.Z_SYNC_FLUSH)
    return b"\xc1" + frame(squeezed.removesuffix(b"\0\0\xff\xff"))[1:]


def head(line: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    """A request."""
    lines = [line + b" HTTP/1.1", b"Host: localhost", *headers]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])


def full(piece: bytes, size: int) -> bytes:
    """An event whose arguments are `piece`, again and again."""
    return b'42["a"' + (b"," + piece) * (size // (len(piece) + 1)) + b"]"


def inputs() -> Iterator[Input]:
    yield from before_http()
    yield from before_websocket()
    yield from joins()
    yield from events()
    yield from frames()


def before_http() -> Iterator[Input]:
    """Requests; none of them brings a token."""
    many = [b"X-%03d: %b" % (number, b"x" * 120) for number in range(90)]
    polling = b"GET /socket.io/?EIO=4&transport=polling"
    upgrade = (
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    )
    way = Way.HTTP
    yield Input("a short request", way, False, head(b"GET /health"), 300)
    yield Input("a request with 90 headers", way, False, head(b"GET /health", *many), 60)
    yield Input("a request with a long URL", way, False, head(b"GET /" + b"x" * 8000), 100)
    yield Input("a request without the token", way, False, head(b"GET /status"), 300)
    # Of wrong tokens only a few: they are answered ever more slowly.
    wrong = head(b"GET /status", b"Authorization: Bearer wrong")
    yield Input("a wrong token", way, False, wrong, 3)
    yield Input(
        "a preflight",
        way,
        False,
        head(b"OPTIONS /set-sj-key", b"Origin: http://localhost:3000"),
        300,
    )
    yield Input(
        "a refused body",
        way,
        False,
        head(b"POST /set-sj-key", b"Content-Type: application/json", body=b"x" * 60_000),
        40,
    )
    chunked = head(b"POST /set-sj-key", b"Transfer-Encoding: chunked")
    chunks = b"1\r\nx\r\n" * 1000 + b"0\r\n\r\n"
    yield Input("a body in chunks of a byte", way, False, chunked + chunks, 40)
    yield Input("a handshake", way, False, head(polling), 300)
    yield Input("a handshake with keys", way, False, head(polling + b"&a=b" * 1900), 60)
    yield Input("a session that is unknown", way, False, head(polling + b"&sid=nobody"), 300)
    way = Way.CONNECTION
    yield Input("a bad request", way, False, head(b"GET /health", b"Bad : header"), 1, 200)
    yield Input("nothing at all", way, False, b"\r\n", 1, 200)
    line = b"GET /socket.io/?EIO=4&transport=websocket"
    yield Input("a WebSocket", way, False, head(line, *upgrade), 1, 200)
    odd = head(line, *upgrade) + control(0x9)
    yield Input("a WebSocket and a ping frame", way, False, odd, 1, 200)
    for name, message in (  # each ends its connection
        ("attachments nobody announced", binary(b"x" * 100)),
        ("an event before CONNECT", frame(b'42["a"]')),
        ("no JSON", frame(b'40{"a":' + b"[" * 2000)),
    ):
        yield Input(f"a WebSocket and {name}", way, False, head(line, *upgrade) + message, 1, 200)
    compressed = b"Sec-WebSocket-Extensions: permessage-deflate"
    odd = head(line, *upgrade, compressed) + deflated(b"6")
    yield Input("a WebSocket and a compressed noop", way, False, odd, 1, 200)


def before_websocket() -> Iterator[Input]:
    """Messages of who has not joined, and can't."""
    way = Way.WEBSOCKET
    yield Input("CONNECT without the token", way, False, frame(b"40"), 9, 60)
    wrong = frame(b'40{"token":"wrong"}')
    yield Input("CONNECT with a wrong token", way, False, wrong, 1, 60)
    yield Input("CONNECT to an unknown namespace", way, False, frame(b"40/nobody,"), 9, 60)
    yield Input("a noop", way, False, frame(b"6"), 5000)
    yield Input("a pong of Engine.IO", way, False, frame(b"3"), 5000)
    yield Input("a ping frame", way, False, control(0x9), 900, 3)
    yield Input("a ping frame of 125 bytes", way, False, control(0x9, b"x" * 125), 400, 5)
    yield Input("a pong frame", way, False, control(0xA), 900, 3)
    noop = control(0x1, b"6", fin=False)
    empty = control(0x0, fin=False) * 900
    yield Input("900 empty fragments", way, False, noop + empty + control(0x0), 1, 3, 902)
    yield Input("a CONNECT of lists", way, False, frame(b'40{"a":[%b0]}' % (b"[]," * 20_000)), 2, 9)


def joins() -> Iterator[Input]:
    """Coming and going, and what is wished for on the way."""
    way = Way.WEBSOCKET
    token = b'"token":"%b"' % TOKEN
    connect = frame(b"40{%b}" % token)
    yield Input("leaving and joining", way, True, frame(b"41") + connect, 2000, 1, 2)
    both = frame(b"41") + connect
    yield Input("leaving and joining, unread", way, True, both, 2000, 1, 2, 0, True)
    wish = frame(b'40{%b,"codes":["A"]}' % token)
    yield Input("joining with a filter", way, True, frame(b"41") + wish, 300, 1, 2)
    names = b",".join(b'"%04d"' % number for number in range(1000))
    wish = frame(b'40{%b,"codes":[%b]}' % (token, names))
    yield Input("joining with a filter of 1000", way, True, frame(b"41") + wish, 100, 1, 2)
    wish = frame(b'40{%b,"recover":true}' % token)
    yield Input("joining with recovery", way, True, frame(b"41") + wish, 500, 1, 2)
    wish = frame(b'40{%b,"recover":true,"pid":"x","offset":"x-9"}' % token)
    yield Input("joining with a bad pid", way, True, frame(b"41") + wish, 500, 1, 2)


def events() -> Iterator[Input]:
    """What a client may say that has joined."""
    way = Way.WEBSOCKET
    yield Input("an event with a question", way, True, frame(b'4217["a"]'), 5000)
    yield Input("an answer to nobody", way, True, frame(b"4317[1]"), 5000)
    yield Input("an event to a namespace", way, True, frame(b'42/,["a"]'), 5000)
    for size in (1000, 900_000):
        count = 2_000_000 // size
        for name, piece in (
            ("empty lists", b"[]"),
            ("empty objects", b"{}"),
            ("lists in lists", b"[" * 150 + b"]" * 150),
            ("objects in objects", b'{"a":' * 150 + b"0" + b"}" * 150),
            ("short keys", b'{"a":1}'),
            ("short texts", b'""'),
            ("digits", b"1"),
            ("long numbers", b"1" * 300),
            ("fractions", b"1.1e-9"),
            ("NaN", b"NaN"),
            ("large numbers and NaN", b"1e300,NaN"),
            ("numbers too large", b"1e999"),
            ("numbers too large in lists", b"[" * 150 + b"1e999" + b"]" * 150 + b",1e300"),
            ("look-alikes of large numbers in lists", b'["1e999"]'),
            ("lone surrogates", rb'"\ud800"'),
            ("lone surrogates in lists", rb'["\ud800"]'),
            ("escapes", rb'"\\\""'),
            ("backslashes and NaN", rb'"\\",NaN'),
            ("look-alikes of NaN", b'"NaN"'),
        ):
            yield Input(f"an event of {name}, {size}", way, True, frame(full(piece, size)), count)
        text = b'451-["a"%b]' % ((b"," + PLACEHOLDER) * (size // 30))
        unit = frame(text) + binary(b"x")
        yield Input(f"an event of placeholders, {size}", way, True, unit, count)
        message = frame(b"b" + b"AAAA" * (size // 4))
        unit = frame(b'451-["a",%b]' % PLACEHOLDER) + message
        yield Input(f"an attachment as base64, {size}", way, True, unit, count)
    unit = frame(b'459-["a",%b]' % PLACEHOLDER) + binary(b"") * 9
    yield Input("an event with nine attachments", way, True, unit, 1000)
    unit = b'42["a"]\x1e' * 1000
    yield Input("1000 events in a POST", Way.POLLING, True, unit[:-1], 4, 1, 1000)
    yield Input("900 KB of empty lists in a POST", Way.POLLING, True, full(b"[]", 900_000), 3)
    unit = frame(b'42["sjgateway:subscribe",{"codes":["A"]}]')
    other = frame(b'42["sjgateway:subscribe",{"codes":["B"]}]')
    yield Input("a change of the filter", way, True, unit + other, 150, 1, 2)
    unit = frame(b'421["sjgateway:bars",{"code":"A"}]')
    yield Input("a question for bars", way, True, unit, 150)
    unit = frame(b'421["sjgateway:bars",{"code":"A","from":"x"}]')
    yield Input("a question for bars without sense", way, True, unit, 150)
    for field in ("codes", "events"):
        unit = b"".join(
            frame(b'42["sjgateway:subscribe",{"%b":["market_bidask","%d"]}]' % (field.encode(), at))
            for at in range(200)
        )
        yield Input(f"a change of {field} to new ones each time", way, True, unit, 1, 1, 200)


def frames() -> Iterator[Input]:
    """Ways to send an event in pieces, or smaller than it is."""
    way = Way.WEBSOCKET
    text = b'42["%b"]' % (b"a" * 891)
    pieces = [text[at : at + 10] for at in range(0, len(text), 10)]
    unit = b"".join(
        control(0x0 if number else 0x1, piece, fin=number == len(pieces) - 1)
        for number, piece in enumerate(pieces)
    )
    yield Input("an event in 90 fragments", way, True, unit, 40, 1, len(pieces))
    for name, piece in (("one letter", b'"%b"' % (b"a" * 900_000)), ("empty lists", b"[]")):
        text = full(piece, 900_010)
        unit = deflated(text)
        yield Input(f"900 KB of {name}, deflated", way, True, unit, 3, means=len(text))
    text = b'42["%b"]' % (b"a" * 300)
    yield Input("300 bytes, deflated", way, True, deflated(text), 300, means=len(text))
