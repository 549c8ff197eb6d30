"""Joins recording and bars with the relay: they hear its events, and bars answer its clients."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from gateway import __version__
from gateway.app.known_codes import KnownCodes
from gateway.app.layer_settings import bar_settings, mark_of, record_settings
from gateway.app.process import Step
from gateway.app.service import Part, periodic
from gateway.history.bar_keeper import NAMES_HEARD
from gateway.history.bar_service import BarService, no_bars, no_ticks
from gateway.history.event_thread import LOOK
from gateway.market.events import ASK_BARS
from gateway.web.security.addresses import address_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from twisted.application.service import Service
    from twisted.internet.defer import Deferred

    from gateway.history.bar_query import Answer
    from gateway.history.event_thread import EventThread
    from gateway.history.recording import Recording
    from gateway.market.hours import Calendar
    from gateway.ops.alerts.alerts import Alerts
    from gateway.options import Settings
    from gateway.relay.relay import Relay
    from gateway.relay.subscription import Subscription

    Ask = Callable[[Mapping[str, Any], str], Deferred[Answer]]
    """Fields of a question, and whose it is."""

NAMESPACE = "/"
"""The namespace whose events are recorded and made bars of: others may have the same codes."""

TOO_FAST: Final = "the log of the cluster was faster than this gateway"

_log = Logger(namespace="gateway")


class HistoryTaps:
    """Makes recording and bars where `settings` ask for them, and lets them hear the relay."""

    def __init__(
        self, settings: Settings, calendar: Calendar, reactor: Any, relay: Relay, alerts: Alerts
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self.recording = self._make_recording(calendar)
        """None: nothing is recorded."""
        self.bars: BarService | None = None
        """None: none are kept."""
        self.ask: Ask = no_bars
        """Answers a question for bars, also where none are kept."""
        self._hub = heard = relay.hubs.get(NAMESPACE)
        if self.recording is not None:
            if heard is not None:
                heard.log.taps.append(self.recording.tap.collect)
            self.recording.listeners.append(alerts.recording)
        if settings.keep_bars:
            self.bars = BarService(bar_settings(settings, os.environ), calendar, reactor)
            if heard is not None:
                for name in NAMES_HEARD:
                    heard.listen(name, self.bars.tap.collect_one)
            self.bars.listeners.append(alerts.bars)
            self.ask = self.bars.ask
        for hub in relay.hubs.values():
            hub.services.by_name[ASK_BARS] = partial(_serve, self.ask)

    def codes(self, timezone: str, clock: Callable[[], float]) -> KnownCodes:
        """What makes the answer of `GET /codes`; `clock` is in seconds."""
        newest = no_ticks if self.bars is None else self.bars.newest
        return KnownCodes(self._hub, newest, timezone, clock)

    def services(self) -> Iterator[Service]:
        """Their services, in the order of their start."""
        made = self.recording
        if self.bars is not None:
            yield self._handing_over("the bars", self.bars.tap)
            yield Part("the bars", start=self.bars.start, stop=self.bars.stop)
        if made is not None:
            yield self._handing_over("the recording", made.tap)
            yield periodic(self._reactor, "Looking at the recording", made.LOOK_EVERY, made.look)
            yield Part("the recording", start=made.start, stop=made.stop)
        elif self._settings.record is not None:
            yield Part("the recording", start=partial(_say_why_not, mark_of(self._settings)))

    def flushes(self, relay: Relay) -> Iterator[Step]:
        """What has to be written before the program of this process is replaced, in this order."""
        yield Step("Writing to clients", relay.finish)
        if self.bars is not None:
            yield Step("Writing the bars", self.bars.tap.flush)
        if self.recording is not None:
            yield Step("Writing the recording", self.recording.flush)

    def missed(self, events: int) -> None:
        """So many events were told to no tap: they came faster than they could be read.

        Of that the bars hear from `SharedBars`, which also gets them.  Fewer than none: where the
        log has lost what was read.
        """
        if events > 0 and self.recording is not None:
            self.recording.missed(events, TOO_FAST)

    def _handing_over(self, to: str, tap: EventThread) -> Service:
        return periodic(self._reactor, f"Handing events to {to}", LOOK, tap.look)

    def _make_recording(self, calendar: Calendar) -> Recording | None:
        settings = record_settings(self._settings)
        if settings is None or mark_of(self._settings):
            return None
        from gateway.history import recording  # noqa: PLC0415  # else nothing needs zstd

        return recording.Recording(
            settings, calendar.trading_part, self._reactor, version=__version__
        )


def _say_why_not(mark: str) -> None:
    _log.warn("Nothing is recorded: a {mark} is no market data", mark=mark)


def _serve(
    ask: Ask, question: dict[str, Any], client: Subscription, answer: Callable[[bytes], object]
) -> Callable[[], object]:
    """The relay's `Service` for bars; all clients of one address have one share of the work."""
    asked = ask(question, address_key(client.socket.session.peer.address))
    asked.addCallback(lambda found: answer(found.body))
    asked.addErrback(lambda failure: failure.trap(CancelledError))
    return asked.cancel
