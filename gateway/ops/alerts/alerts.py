"""Alerts as a whole: hears the gateway's own events, and tells every receiver."""

from __future__ import annotations

import random
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from gateway.ops.alerts.delivery import RESULTS, Delivery
from gateway.ops.alerts.rules import AlertLimiter, AlertRules, text
from gateway.ops.alerts.webhooks import secrets, webhook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.engineio.deadlines import Deadlines
    from gateway.ops.alerts.rules import Alert
    from gateway.ops.alerts.webhooks import Webhook


@attrs.frozen(kw_only=True)
class AlertSettings:
    """Who is told, and how."""

    urls: tuple[str, ...] = attrs.field(default=(), repr=False)
    """See `webhooks.webhook`."""
    ca_file: Path | None = None
    """Certificates of the authorities to trust instead of the system's."""
    interval: float = 60.0
    """Seconds between two alerts of one subject and kind."""
    language: str = "en"
    gateway: str = "sjgateway"
    """The name of this machine in each alert."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The parts of `urls` that no log may hold."""
        return tuple(part for url in self.urls for part in secrets(url))


class Alerts:
    """Sends alerts to every receiver.  Raises ValueError for settings that make no sense.

    `wall()` is in seconds since 1970, `random()` from 0 to 1.
    """

    def __init__(
        self,
        reactor: Any,
        deadlines: Deadlines,
        settings: AlertSettings,
        *,
        wall: Callable[[], float] = time.time,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._channels: list[tuple[Webhook, Delivery]] = []
        if settings.urls or settings.ca_file is not None:
            from gateway.ops.alerts.posting import WebhookClient  # noqa: PLC0415  # an HTTP client

            client = WebhookClient(reactor, settings.ca_file)
            self._channels = [
                (each, Delivery(each.host, partial(client.post, each.url), deadlines, random))
                for each in map(webhook, settings.urls)
            ]
        limiter = AlertLimiter(deadlines, settings.interval, self._send)
        rules = AlertRules(deadlines, wall, limiter.tell)
        self.published = rules.published
        """To be called with name and argument of each event that the gateway publishes."""
        self.bars = rules.bars
        """To be called with what is wrong with the bars, and with "" when they are well again."""
        self.recording = rules.recording
        """To be called when the recording fails, and when it goes on."""

    def results(self) -> dict[str, int]:
        """Sums over all receivers, see `delivery.RESULTS`."""
        results = [delivery.results for _, delivery in self._channels]
        return {name: sum(each[name] for each in results) for name in RESULTS}

    def stop(self) -> None:
        """Send nothing any more."""
        for _, delivery in self._channels:
            delivery.stop()

    def _send(self, alert: Alert) -> None:
        line = text(alert, self._settings.language, self._settings.gateway)
        for each, delivery in self._channels:
            delivery.send(each.body(alert, line))
