"""Binary attachments: collected as they come, and put in their places.

Source: Socket.IO protocol 5, section "Packet encoding".  Only packets of the binary
types have placeholders: in any other packet an object that looks like one is data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.socketio.errors import ParseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.engineio.packet import Packet as EnginePacket
    from gateway.socketio.packet import Packet


class Assembly:
    """One packet that waits for its attachments; raises `ParseError` for bad placeholders.

    `size`: bytes that have come so far.
    """

    __slots__ = ("_attachments", "packet", "size")

    def __init__(self, packet: Packet) -> None:
        check_placeholders(packet.value, packet.expected)
        self.packet = packet
        self.size = len(packet.wire[0].data)
        self._attachments: list[EnginePacket] = []

    def add(self, attachment: EnginePacket) -> bool:
        """Take the next attachment; True: it was the last one, and `packet` is whole."""
        self._attachments.append(attachment)
        self.size += len(attachment.data)
        if len(self._attachments) < self.packet.expected:
            return False
        self.packet.wire += tuple(self._attachments)
        return True


def check_placeholders(value: Any, count: int) -> None:
    """Raise `ParseError` unless every placeholder names one of `count` attachments.

    What only some receivers take for a placeholder is refused, too, since these would fail on
    it: for python-socketio any object with a true `_placeholder` is one.
    """
    for item in _objects(value):
        mark = item.get("_placeholder")
        if not mark:
            continue
        num = item.get("num")
        if mark is not True or num.__class__ is not int or not 0 <= num < count:
            raise ParseError("placeholder without its attachment")


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if item.__class__ is dict:
            yield item
            waiting.extend(item.values())
        elif item.__class__ is list:
            waiting.extend(item)


def reconstruct(value: Any, attachments: Sequence[EnginePacket]) -> Any:
    """`value` with the attachments' bytes in place of their placeholders."""
    if not attachments:
        return value
    if isinstance(value, list):
        return [reconstruct(item, attachments) for item in value]
    if isinstance(value, dict):
        if value.get("_placeholder"):
            return attachments[value["num"]].data
        return {key: reconstruct(item, attachments) for key, item in value.items()}
    return value
