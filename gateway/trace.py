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
"""Bytes of an event that are shown."""


class TracingOverseer(Overseer):
    """Logs each event's text, and how many attachments it has."""

    def relayed(self, sender: Subscription, event: Event) -> None:
        super().relayed(sender, event)
        text, *attachments = event.packets
        _log.debug(
            "{text}{more}{attached}",
            tag="Relay",
            text=text.data[:SHOWN].decode("utf-8", "replace"),
            more="..." if len(text.data) > SHOWN else "",
            attached=f" + {len(attachments)} attachments" if attachments else "",
        )
