"""Socket.IO packets and their decoding.

Source: Socket.IO protocol 5, section "Packet encoding"; for Engine.IO 3 sessions
Socket.IO protocol 4, where a namespace may carry a query.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

from gateway.engineio.packet import Packet as EnginePacket
from gateway.socketio import strict
from gateway.socketio.errors import ParseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_ATTACHMENTS = 10
"""Of one packet; JavaScript clients from 4.8.4 on disconnect on more."""
MAX_NAMESPACE_BYTES = 1024
MAX_ID_DIGITS = 1000
"""Digits of an acknowledgment id, which is sent back exactly; `int` takes 4300."""

RESERVED = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)
"""Event names that clients use for themselves."""

LONG = 65536
"""Bytes of a text that is decoded by itself."""

_HEADER = re.compile(rb"4(?:([0-3])|([56])(10|[1-9])-)(/[^,]*+,?)?([0-9]*+)")
_ROOT_EVENT, _ROOT_CONNECT, _ROOT_DISCONNECT = b"42[", b"40", b"41"


class PacketType(IntEnum):
    """The digit after the Engine.IO message type."""

    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = PacketType
_TYPES = {b"%d" % type: type for type in PacketType}


class Packet:
    """One packet that a client sent.

    - `type`, `namespace`, and `id`, the acknowledgment id or None
    - `payload`: the JSON as received, `repaired` of its tokens replaced by null
    - `value`: the payload decoded, attachments still placeholders; the auth object of
      a CONNECT, `{}` when there was none
    - `brief`: the same, but only what `strict.skim` finds where all would cost much to build
    - `expected`: how many attachments belong to it
    - `wire`: the Engine.IO packets to hand on, the text and then the attachments; the
      very packets received, unless the payload was repaired or the header was not in
      the one form that every receiver reads; of CONNECT and DISCONNECT always those received
    """

    __slots__ = (
        "brief",
        "expected",
        "id",
        "namespace",
        "payload",
        "repaired",
        "type",
        "value",
        "wire",
    )

    def __init__(  # noqa: PLR0917 - one is made for every event: keywords cost
        self,
        type: PacketType,
        namespace: str,
        id: int | None,
        payload: bytes,
        value: Any,
        repaired: int,
        expected: int,
        wire: tuple[EnginePacket, ...],
    ) -> None:
        self.type = type
        self.namespace = namespace
        self.id = id
        self.payload = payload
        self.value = self.brief = value
        self.repaired = repaired
        self.expected = expected
        self.wire = wire

    @property
    def attachments(self) -> Sequence[EnginePacket]:
        """The binary packets, in order."""
        return self.wire[1:]


class LazyPacket(Packet):
    """An event or an answer whose value is built each time it is asked for."""

    __slots__ = ()

    @property
    def value(self) -> Any:
        return strict.loads(self.payload).value

    @value.setter
    def value(self, value: Any) -> None:
        """Ignored: what `strict.skim` found is `brief`."""


def header(type: PacketType, namespace: str, id: int | None = None, attachments: int = 0) -> bytes:
    """All of a text packet but its payload, from the `4` on."""
    return b"4%d%b%b%b" % (
        type,
        b"%d-" % attachments if attachments else b"",
        b"" if namespace == "/" else namespace.encode() + b",",
        b"" if id is None else b"%d" % id,
    )


def decode(packet: EnginePacket, eio: int = 4) -> Packet:
    """Decode one text packet of a session of Engine.IO `eio`; raises `ParseError`.

    CONNECT_ERROR is only for servers to send, and is refused.  Of a packet with attachments only
    the text is decoded here, see `gateway.socketio.attachments`.
    """
    data = packet.data
    if data == _ROOT_CONNECT:
        return Packet(CONNECT, "/", None, b"", {}, 0, 0, (packet,))
    if data == _ROOT_DISCONNECT:
        return Packet(DISCONNECT, "/", None, b"", None, 0, 0, (packet,))
    found = _HEADER.match(data)
    if found is None:
        raise ParseError("no Socket.IO packet, or not 1 to 10 attachments announced")
    plain, binary, count, name, digits = found.groups()
    type = _TYPES[plain or binary]
    namespace, query = _namespace(name, eio) if name else ("/", {})
    id = _id(digits) if digits else None
    expected = int(count or 0)
    payload = data[found.end() :]
    expensive = (type is EVENT or type is ACK) and strict.is_expensive(payload)
    json = _payload(type, payload, strict.skim if expensive else strict.loads)
    _check(type, id, json.value)
    if type is CONNECT or type is DISCONNECT:  # not handed on, so the header may stay as it is
        value = json.value if json.text or type is DISCONNECT else query
        return Packet(type, namespace, None, json.text, value, json.repaired, 0, (packet,))
    text = header(type, namespace, id, expected) + json.text
    wire = packet if text == data else EnginePacket(text)
    kind = LazyPacket if expensive else Packet
    return kind(type, namespace, id, json.text, json.value, json.repaired, expected, (wire,))


def plain_events(messages: list[bytes], at: int) -> list[list[Any]]:
    """The values of the plain events among `messages` from `at` on, up to the first other message.

    A plain event is one of the main namespace without id and attachments.  What is long, or may
    have something wrong in it, counts as other: `decode` is asked then.
    """
    found: list[list[Any]] = []
    for data in messages if at == 0 else messages[at:]:
        if not data.startswith(_ROOT_EVENT) or len(data) > LONG:
            break
        try:
            value = orjson.loads(data[2:])
        except orjson.JSONDecodeError:
            break
        name = value[0] if value else None
        if name.__class__ is not str or name in RESERVED:
            break
        if len(data) > strict.SHALLOW and data.count(b"[") + data.count(b"{") > strict.MAX_DEPTH:
            break
        found.append(value)
    return found


def whole(text: bytes, value: list[Any]) -> Packet:
    """The packet of a plain event with this text and value."""
    return Packet(EVENT, "/", None, text[2:], value, 0, 0, (EnginePacket(text),))


def _namespace(name: bytes, eio: int) -> tuple[str, dict[str, str]]:
    if len(name) > MAX_NAMESPACE_BYTES:
        raise ParseError("namespace too long")
    try:
        namespace = name.decode().removesuffix(",")
    except UnicodeDecodeError as error:
        raise ParseError("namespace is not UTF-8") from error
    if eio != 3:
        return namespace, {}
    path, _, query = namespace.partition("?")
    return path, dict(parse_qsl(query, keep_blank_values=True))


def _id(digits: bytes) -> int:
    if len(digits) > MAX_ID_DIGITS:
        raise ParseError("acknowledgment id too long")
    return int(digits)


def _payload(type: PacketType, text: bytes, read: Callable[[bytes], strict.Json]) -> strict.Json:
    """The value must start at once: receivers read blanks before it as an id."""
    if not text and type in (CONNECT, DISCONNECT):
        return strict.Json(b"", None, 0)
    if text[:1] != (b"{" if type is CONNECT else b"["):
        raise ParseError(f"{type.name} with the wrong kind of payload")
    return read(text)


def _check(type: PacketType, id: int | None, value: Any) -> None:
    if type is EVENT or type is BINARY_EVENT:
        _check_event(value)
    elif type is ACK or type is BINARY_ACK:
        if id is None:
            raise ParseError("acknowledgment without an id")
    elif id is not None or (type is DISCONNECT and value is not None):
        raise ParseError(f"{type.name} with an id or a payload that it cannot have")


def _check_event(value: Any) -> None:
    name = value[0] if value else None
    kind = name.__class__
    if kind is str:
        if name in RESERVED:
            raise ParseError(f"reserved event name {name!r}")
    elif kind is not int and kind is not float:
        raise ParseError("an event is an array that begins with its name")
