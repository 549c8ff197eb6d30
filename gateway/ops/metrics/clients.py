"""Metrics of the relay, its clients, and the feeds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gateway.market.hours import SESSIONS
from gateway.ops.metrics.families import counter, gauge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from gateway.engineio.session import Session
    from gateway.market.freshness import Freshness
    from gateway.relay.hub import Hub
    from gateway.relay.relay import Relay

MARKETS = frozenset(session.market for session in SESSIONS)


class RelayMetrics:
    """Reads the relay.

    `sessions` are all sessions by their id; `names()` is how many events of each name were
    relayed, with a bounded number of names.
    """

    def __init__(
        self,
        relay: Relay,
        freshness: Freshness,
        sessions: Mapping[str, Session],
        names: Callable[[], Mapping[str, int]],
    ) -> None:
        self._relay = relay
        self._freshness = freshness
        self._sessions = sessions
        self._names = names

    def collect(self) -> Iterator[Metric]:
        yield from self._events()
        yield from self._clients()
        yield from self._slow()
        trading = self._freshness.trading
        stale = trading & self._freshness.stale
        for name, meaning, markets in (
            ("market_open", "Whether a market trades: 1 or 0", trading),
            ("feed_stale", "Whether a market trades and its feed is stale: 1 or 0", stale),
        ):
            values = {market: float(market in markets) for market in MARKETS}
            yield gauge(name, meaning, values, "market")

    def _events(self) -> Iterator[Metric]:
        for name, meaning, read in _OF_HUBS:
            values = {hub.name: read(hub) for hub in self._relay.hubs.values()}
            yield counter(name, meaning, values, "namespace")
        meaning = "Events of clients by name; names without a place of their own are together other"
        yield counter("events_by_name", meaning, self._names(), "event")

    def _clients(self) -> Iterator[Metric]:
        counts = Counter(session.transport for session in self._sessions.values())
        transports = {"polling": 0, "websocket": 0, **counts}
        yield gauge("clients", "Clients by transport", transports, "transport")
        hubs = self._relay.hubs.values()
        members = {hub.name: len(hub.members) for hub in hubs}
        yield gauge("members", "Clients in each namespace", members, "namespace")
        lags = {hub.name: _lags(hub) for hub in hubs}
        for name, meaning, read in _OF_LAGS:
            values = {namespace: read(lag) for namespace, lag in lags.items()}
            yield gauge(name, meaning, values, "namespace")

    def _slow(self) -> Iterator[Metric]:
        done = self._relay.slow.counters
        yield counter("conflations", "Times a slow client was brought up to date", done.conflated)
        yield counter("skipped_events", "Events that slow clients were spared", done.skipped)
        yield counter("evicted_clients", "Clients disconnected for being slow", done.evicted)


def _lags(hub: Hub) -> list[int]:
    """The bytes that wait for each client that is behind."""
    return [lag for each in hub.log.apart if (lag := each.lag)]


def _largest(lags: list[int]) -> int:
    return max(lags, default=0)


_OF_HUBS: tuple[tuple[str, str, Callable[[Hub], int]], ...] = (
    ("events", "Events relayed, and the gateway's own", lambda hub: hub.log.count),
    ("event_bytes", "Bytes of these events", lambda hub: hub.log.payload_bytes),
    ("deliveries", "Events written to clients", lambda hub: hub.log.traffic.deliveries),
    ("sent_bytes", "Bytes written to clients", lambda hub: hub.log.traffic.bytes),
    ("repaired_events", "Events in which NaN or the like became null", lambda hub: hub.repaired),
    ("refused_events", "Events of who may not publish", lambda hub: hub.refusals.count),
)
"""Counters of each namespace: name, meaning, where to read it."""

_OF_LAGS: tuple[tuple[str, str, Callable[[list[int]], int]], ...] = (
    ("lagging_clients", "Clients for whom something waits", len),
    ("lag_bytes", "Bytes that wait for clients", sum),
    ("lag_max_bytes", "Bytes that wait for the client that is furthest behind", _largest),
)
