"""Alerts as a whole: hears the gateway's own events, and tells every receiver."""

from __future__ import annotations

import random
import time
from datetime import UTC, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs
from twisted.internet.defer import Deferred, DeferredList

from gateway.common.times import iso
from gateway.contract import WorkerError, no_alerts
from gateway.ops.alerts.delivery import RESULTS, Delivery
from gateway.ops.alerts.receivers import Mail, receiver, secrets
from gateway.ops.alerts.rules import OVER, SUBJECTS, TEST, Alert, AlertLimiter, AlertRules
from gateway.ops.alerts.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.engineio.deadlines import Deadlines
    from gateway.ops.alerts.receivers import Message, Receiver

UNDER_WAY: Final = WorkerError("A test of alerts is under way", "ask again when it is over")


@attrs.frozen(kw_only=True)
class AlertSettings:
    """Who is told, and how."""

    urls: tuple[str, ...] = attrs.field(default=(), repr=False)
    """See `receivers.receiver`."""
    ca_file: Path | None = None
    """Certificates of the authorities to trust instead of the system's."""
    interval: float = 60.0
    """Seconds between two alerts of one subject and kind."""
    language: str = "en"
    zone: tzinfo = UTC
    """In which times are told."""
    gateway: str = "sjgateway"
    """The name of this machine in each alert."""
    page: str = ""
    """The address of the page, to which each alert leads; "": as this machine has it."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The parts of `urls` that no log may hold."""
        return tuple(part for url in self.urls for part in secrets(url))


class Alerts:
    """Sends alerts to every receiver.  Raises ValueError for settings that make no sense.

    `port()` is the gateway's; `wall()` is in seconds since 1970, `random()` from 0 to 1.
    """

    def __init__(
        self,
        reactor: Any,
        deadlines: Deadlines,
        settings: AlertSettings,
        *,
        port: Callable[[], int],
        wall: Callable[[], float] = time.time,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._wall = wall
        self._wording = Wording(
            settings.language,
            settings.zone,
            gateway=settings.gateway,
            page=settings.page,
            port=port,
        )
        receivers = [receiver(each) for each in settings.urls]
        send = sender(reactor, receivers, settings.ca_file)
        self._channels: list[tuple[Receiver, Delivery]] = [
            (each, Delivery(each.host, send, deadlines, random, wall, join=each.join))
            for each in receivers
        ]
        self._is_testing = False
        self._limiter = AlertLimiter(deadlines, settings.interval, partial(self._send, keeps=False))
        rules = AlertRules(deadlines, wall, self._tell)
        self.published = rules.published
        """To be called with name and argument of each event that the gateway publishes."""
        self.bars = rules.bars
        """To be called with what is wrong with the bars, and with "" when they are well again."""
        self.cluster = rules.cluster
        """To be called with why the shared log does not answer, and with "" when it does."""
        self.recording = rules.recording
        """To be called when the recording fails, and when it goes on."""

    def start(self) -> None:
        """Tell those that keep an alert until it is over that nothing is wrong yet.

        What this gateway's last process has told may be over, and nobody would say so any more.
        """
        now = iso(self._wall())
        for subject in SUBJECTS:
            begun = Alert(kind=OVER, subject=subject, detail="the gateway starts", timestamp=now)
            self._send(begun, keeps=True)

    def results(self) -> dict[str, int]:
        """Sums over all receivers, see `delivery.RESULTS`."""
        results = [delivery.results for _, delivery in self._channels]
        return {name: sum(each[name] for each in results) for name in RESULTS}

    def status(self) -> list[dict[str, Any]]:
        """Each receiver: its `kind` and `host`, and of the last try `at` and `error`.

        `at` None: there was no try; `error` "": the last one arrived.
        """
        return [
            {
                "kind": each.kind,
                "host": each.host,
                "at": None if delivery.last is None else iso(delivery.last.at),
                "error": "" if delivery.last is None else delivery.last.reason,
            }
            for each, delivery in self._channels
        ]

    def test(self) -> Deferred[dict[str, Any]]:
        """Send a test to every receiver, once; fires with `channels`, which is `status`.

        Raises or fails with WorkerError when one does not take it, or nobody is to be told.
        """
        if not self._channels:
            no_alerts()
        if self._is_testing:
            raise UNDER_WAY
        alert = Alert(
            kind=TEST, subject=TEST, detail="A test of alerts", timestamp=iso(self._wall())
        )
        words = self._wording(alert)
        messages = [each.message(alert, words) for each, _ in self._channels]
        self._is_testing = True
        tries = [
            delivery.try_once(message)
            for (_, delivery), message in zip(self._channels, messages, strict=True)
        ]
        return DeferredList(tries, consumeErrors=True).addCallback(self._tested)

    def stop(self) -> None:
        """Send nothing any more."""
        for _, delivery in self._channels:
            delivery.stop()

    def _tested(self, results: list[tuple[bool, Any]]) -> dict[str, Any]:
        self._is_testing = False
        wrong = [
            f"{each.kind}: {each.host} {reason if tried else 'was not reached'}"
            for (each, _), (tried, reason) in zip(self._channels, results, strict=True)
            if reason
        ]
        if wrong:
            raise WorkerError("A test of alerts did not arrive", "; ".join(wrong))
        return {"channels": self.status()}

    def _tell(self, alert: Alert) -> None:
        self._send(alert, keeps=True)
        if alert.kind != OVER:
            self._limiter.tell(alert)

    def _send(self, alert: Alert, *, keeps: bool) -> None:
        """Send it to the receivers that keep it until it is over, or to all others."""
        words = self._wording(alert)
        for each, delivery in self._channels:
            if each.keeps == keeps:
                delivery.send(each.message(alert, words))


def sender(
    reactor: Any, receivers: list[Receiver], ca_file: Path | None
) -> Callable[[Message], Deferred[None]]:
    """What hands over one message.  Raises ValueError where `ca_file` has no certificate.

    It imports what posts and what mails only where that is needed: both are much code.
    """
    kinds = {each.kind for each in receivers}
    by_post = by_mail = None
    if kinds - {"mail"} or ca_file is not None:
        from gateway.ops.alerts.posting import WebhookClient  # noqa: PLC0415

        by_post = WebhookClient(reactor, ca_file)
    if "mail" in kinds:
        from gateway.ops.alerts.mailing import Mailer  # noqa: PLC0415

        by_mail = Mailer(reactor, ca_file)

    def send(message: Message) -> Deferred[None]:
        if isinstance(message, Mail):
            assert by_mail is not None
            return by_mail.send(message)
        assert by_post is not None
        return by_post.post(message)

    return send
