r"""The lines of a recording: one JSON object each, ending with a newline.

- An event: `{"t":1764468000.123456,"e":["market_tick",{"code":"TXFR1"}]}`.  `t` is when the
  gateway got it, in seconds since 1970; `e` is the event's name and its arguments, byte for byte
  as they were sent, except that line ends between them are spaces, and that half of a surrogate
  pair (`\ud800`) is `\ufffd`.  Attachments stand before `e`, as base64: `"b":["AAEC"]`; the
  placeholder `{"_placeholder":true,"num":0}` in the arguments is the first of them.
  `"from":"other"` stands before `e` where somebody other than the present worker sent the event.
- A gap: `{"t":1764468000.5,"gap":{"until":1764468003.1,"events":3120,"reason":"..."}}`: this
  many events, the first of `t` and the last of `until`, are missing here.
- A head: `{"t":1764468000.1,"recording":{"format":1,"gateway":"0.1.0"}}`: the first line of a
  file, and of each later start that went on in it.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypedDict

import msgspec
import orjson

from gateway.common.times import LATEST
from gateway.history.trades import MARKS, mark_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.history.event_thread import Gap

FORMAT = 1
"""The version of this format.  A file of another one is not continued."""

_DEMO, _REPLAY, _REHEARSAL = (f'"{mark}"'.encode() for mark in MARKS)
_HEX = rb"[0-9a-fA-F]"
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB]%b{2}\\u[dD][c-fC-F]%b{2}|(\\u[dD][89a-fA-F]%b{2})|\\." % ((_HEX,) * 3)
)
"""An escape in a text; its group is half of a surrogate pair."""
_ODD = (b"\n", b"\r", b"\\ud", b"\\uD", _DEMO, _REPLAY, _REHEARSAL)
"""Where one of these is in an event, it has to be looked at."""
_EVENT = b'"e":['
"""Before the name of an event; in a text it would be escaped."""


def line(
    wall: float, payload: bytes, attachments: Sequence[bytes] = (), *, other: bool = False
) -> bytes:
    """The line of an event that came at `wall`; `payload` is the JSON array with its name.

    `other`: somebody other than the present worker sent it.
    """
    if b"\n" in payload or b"\r" in payload:  # between tokens: in a string it would be escaped
        payload = payload.replace(b"\n", b" ").replace(b"\r", b" ")
    if b"\\ud" in payload or b"\\uD" in payload:
        payload = _ESCAPE.sub(_whole_pair, payload)
    if not attachments and not other:
        return b'{"t":%.6f,"e":%b}\n' % (wall, payload)
    more = b""
    if attachments:
        more += b'"b":["%b"],' % b'","'.join(map(b64encode, attachments))
    if other:
        more += b'"from":"other",'
    return b'{"t":%.6f,%b"e":%b}\n' % (wall, more, payload)


def plain_lines(walls: Sequence[float], texts: Sequence[bytes]) -> list[bytes] | None:
    """The lines of events of the present worker whose packets are `texts`, which came at `walls`.

    They are looked at together, which costs less than half.  None: one of them has something odd
    in it, so that each has to be looked at by itself.
    """
    together = b"".join(texts)
    if any(odd in together for odd in _ODD):
        return None
    try:
        return [
            b'{"t":%.6f,"e":%b}\n' % (wall, text[text.index(b"[") :])
            for wall, text in zip(walls, texts, strict=True)
        ]
    except ValueError:  # one is no event
        return None


def _whole_pair(escape: re.Match[bytes]) -> bytes:
    """The escape as it is; half of a surrogate pair, for which many readers refuse the whole file,
    as U+FFFD."""
    return b"\\ufffd" if escape[1] else escape[0]


def gap_line(gap: Gap) -> bytes:
    """The line that stands where events are missing."""
    about = {"until": round(gap.until, 6), "events": gap.events, "reason": gap.reason}
    return b'{"t":%.6f,"gap":%b}\n' % (gap.since, orjson.dumps(about))


def head_line(wall: float, version: str) -> bytes:
    """The line with which a gateway of this version begins, or goes on, at `wall`."""
    about = orjson.dumps({"format": FORMAT, "gateway": version})
    return b'{"t":%.6f,"recording":%b}\n' % (wall, about)


# -- The reverse.


class GapFields(TypedDict):
    """What a line says of a gap: see `event_thread.Gap`."""

    until: Annotated[float, msgspec.Meta(ge=0, le=LATEST)]
    events: Annotated[int, msgspec.Meta(ge=0)]
    reason: str


class Line(NamedTuple):
    """What a line says; of `payload`, `gap` and `recording` one is there."""

    t: float
    """When it came, in seconds since 1970."""
    payload: bytes | None = None
    """The JSON array of the event, name and arguments, byte for byte."""
    attachments: tuple[bytes, ...] = ()
    other: bool = False
    """Whether somebody other than the present worker sent it."""
    gap: GapFields | None = None
    recording: dict[str, Any] | None = None
    """`format`, `gateway`."""


class _Fields(msgspec.Struct):
    t: float
    b: list[str] = []
    from_: str = msgspec.field(name="from", default="")
    gap: GapFields | None = None
    recording: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(_Fields).decode


def parse(text: bytes) -> Line:
    """What the line `text` says.  Raises ValueError where it is no line of a recording.

    The arguments are cut out as they are: not every JSON decoder takes all that they may hold,
    such as half of a surrogate pair.
    """
    before, is_event, after = text.rstrip().partition(_EVENT)
    try:
        found = _decode(before.rstrip(b",") + b"}" if is_event else text)
        attachments = tuple(b64decode(each, validate=True) for each in found.b)
    except ValueError as error:
        raise ValueError(f"this is no line of a recording: {text[:60]!r} ({error})") from None
    if not 0 <= found.t <= LATEST:
        raise ValueError(f"{found.t:.15g} is no time in seconds since 1970")
    payload = b"[" + after[:-1] if is_event else None
    if is_event and not after.endswith(b"]}"):
        raise ValueError(f"this line of a recording was cut: {text[:60]!r}")
    if not is_event and found.gap is None and found.recording is None:
        raise ValueError(f"this is no line of a recording: {text[:60]!r}")
    return Line(found.t, payload, attachments, bool(found.from_), found.gap, found.recording)


# -- What is recorded of a relayed event.


def payload_of(text: bytes) -> bytes:
    """The JSON array in the text of an event's Socket.IO packet, such as `42["tick",{}]`."""
    return text[text.index(b"[") :]


def is_made_up(payload: bytes) -> bool:
    """Whether an argument of the event says that it is not the market's own (`trades.MARKS`)."""
    if not (_DEMO in payload or _REPLAY in payload or _REHEARSAL in payload):  # the most do not
        return False
    try:
        value = json.loads(payload)  # which takes all that the relay takes
    except (ValueError, RecursionError):
        return False
    return any(isinstance(each, dict) and mark_of(each) for each in value[1:])
