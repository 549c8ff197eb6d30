"""What a server sends, as records of Engine.IO packets.

Source: Socket.IO protocol 5, section "Packet encoding".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from gateway.engineio.packet import Packet as EnginePacket
from gateway.engineio.packet import Record
from gateway.socketio.packet import (
    ACK,
    BINARY_ACK,
    BINARY_EVENT,
    CONNECT,
    CONNECT_ERROR,
    DISCONNECT,
    EVENT,
    MAX_ATTACHMENTS,
    RESERVED,
    header,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


def connect(namespace: str, payload: dict[str, Any] | None = None) -> Record:
    """CONNECT; Socket.IO 2 clients expect no payload."""
    return _record(header(CONNECT, namespace) + (b"" if payload is None else orjson.dumps(payload)))


def connect_error(namespace: str, payload: dict[str, Any] | str) -> Record:
    """CONNECT_ERROR; the payload of Socket.IO 2 clients is the message alone."""
    return _record(header(CONNECT_ERROR, namespace) + orjson.dumps(payload))


def disconnect(namespace: str) -> Record:
    """DISCONNECT."""
    return _record(header(DISCONNECT, namespace))


def event(namespace: str, name: str | float, args: Iterable[Any], id: int | None = None) -> Record:
    """EVENT, or BINARY_EVENT where `args` hold bytes.

    Raises `ValueError` for a reserved name or more than 10 attachments, and
    `TypeError` for what JSON has no form for.
    """
    if name in RESERVED:
        raise ValueError(f"{name!r} is reserved: choose another event name")
    json, attachments = _deconstruct([name, *args])
    type = BINARY_EVENT if attachments else EVENT
    return _record(header(type, namespace, id, len(attachments)) + json, attachments)


def ack(namespace: str, id: int, args: Iterable[Any]) -> Record:
    """ACK, or BINARY_ACK where `args` hold bytes; raises like `event`."""
    json, attachments = _deconstruct(list(args))
    type = BINARY_ACK if attachments else ACK
    return _record(header(type, namespace, id, len(attachments)) + json, attachments)


def _record(text: bytes, attachments: Iterable[EnginePacket] = ()) -> Record:
    return Record(EnginePacket(text), *attachments)


def _deconstruct(value: list[Any]) -> tuple[bytes, list[EnginePacket]]:
    attachments: list[EnginePacket] = []

    def take(item: Any) -> dict[str, Any]:
        if not isinstance(item, bytes | bytearray | memoryview):
            raise TypeError(f"{type(item).__name__} has no JSON form")
        attachments.append(EnginePacket(bytes(item), binary=True))
        return {"_placeholder": True, "num": len(attachments) - 1}

    json = orjson.dumps(value, default=take)
    if len(attachments) > MAX_ATTACHMENTS:
        raise ValueError(f"more than {MAX_ATTACHMENTS} attachments: clients disconnect on them")
    return json, attachments
