"""The answer to a client that may listen but not publish."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from twisted.logger import Logger

from gateway.engineio.packet import Packet as EnginePacket
from gateway.engineio.packet import Record
from gateway.socketio.packet import PacketType, header

if TYPE_CHECKING:
    from gateway.relay.subscription import Subscription
    from gateway.socketio.packet import Packet

REFUSED = "publish_refused"
REASON = "Only the gateway's worker, and clients with a token for it, may publish (--publish)."
NAME_LENGTH = 100

_log = Logger(namespace="gateway")


class Refusals:
    """Refuses events, each with an answer, and counts them; only the first one is logged."""

    def __init__(self) -> None:
        self.count = 0

    def refuse(self, sender: Subscription, packet: Packet) -> None:
        """Answer `packet` with the reason: by its ack, or by the event `publish_refused`."""
        self.count += 1
        if self.count == 1:
            _log.warn(
                "Refused the event {name} of {peer}, which may not publish;"
                " --publish any lets everybody",
                tag="Relay",
                name=str(packet.brief[0])[:NAME_LENGTH],
                peer=str(sender.socket.session.peer),
            )
        why = {"ok": False, "error": REASON, "event": str(packet.brief[0])[:NAME_LENGTH]}
        if packet.id is not None:
            text = header(PacketType.ACK, packet.namespace, packet.id) + orjson.dumps([why])
        else:
            text = header(PacketType.EVENT, packet.namespace) + orjson.dumps([REFUSED, why])
        sender.send(Record(EnginePacket(text)))
