"""Joins the bars with the relay: they hear its events, and answer its clients' questions."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError

from gateway.app.layer_settings import bar_settings
from gateway.history.bar_service import Bars, no_bars
from gateway.market.events import ASK_BARS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twisted.internet.defer import Deferred

    from gateway.history.bar_query import Answer
    from gateway.market.hours import Calendar
    from gateway.options import Settings
    from gateway.relay.relay import Relay

    Ask = Callable[[Mapping[str, Any], str], Deferred[Answer]]
    """Fields of a question, and whose it is."""

HEARD = "/"
"""The namespace of which bars are kept: other ones may have the same codes."""


def make_bars(settings: Settings, calendar: Calendar, reactor: Any, relay: Relay) -> Bars | None:
    """The bars of what `relay` relays; None: none are kept."""
    bars = None
    if settings.keep_bars:
        bars = Bars(bar_settings(settings, os.environ), calendar, reactor)
        if HEARD in relay.hubs:
            relay.hubs[HEARD].log.taps.append(bars.tap)
    for hub in relay.hubs.values():
        hub.services.by_name[ASK_BARS] = partial(_serve, asker_of(bars))
    return bars


def asker_of(bars: Bars | None) -> Ask:
    """What answers questions for bars, also where none are kept."""
    return no_bars if bars is None else bars.ask


def _serve(
    ask: Ask, question: dict[str, Any], asker: str, answer: Callable[[bytes], object]
) -> Callable[[], object]:
    """The relay's `Service` for bars."""
    asked = ask(question, asker)
    asked.addCallback(lambda found: answer(found.body))
    asked.addErrback(lambda failure: failure.trap(CancelledError))
    return asked.cancel
