"""The overseer of the log level debug: it shows what is relayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twisted.logger import Logger

from gateway.overseer import Overseer

if TYPE_CHECKING:
    from gateway.relay.event import Event
    from gateway.relay.subscription import Subscription

_log = Logger(namespace="gateway")

SHOWN: Final = 1000
"""Characters of an event that are shown."""


class TracingOverseer(Overseer):
    """Logs each event's text without secrets, and how many attachments it has."""

    def relayed(self, sender: Subscription, event: Event) -> None:
        super().relayed(sender, event)
        packet, *attachments = event.packets
        text = self.redact(packet.data[: 2 * SHOWN].decode("utf-8", "replace"))
        _log.debug(
            "{text}{more}{attached}",
            tag="Relay",
            text=text[:SHOWN],
            more="..." if len(packet.data) > SHOWN else "",
            attached=f" + {len(attachments)} attachments" if attachments else "",
        )
