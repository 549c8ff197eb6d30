"""The answer of `GET /status`: worker, relay, clients, how fresh the data is, recording."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import attrs

from gateway.app.identity import identity_of, known_as_worker
from gateway.common.attempt import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gateway.engineio.session import Session
    from gateway.history.recording import Recording
    from gateway.market.freshness import Freshness
    from gateway.relay.hub import Hub
    from gateway.relay.relay import Relay
    from gateway.relay.subscription import Subscription

MAX_CLIENTS = 200
"""Most clients that are listed; all are counted."""
KEPT_FOR = 1.0
"""Seconds for which an answer is kept: every open page asks."""


class GatewayStatus:
    """Makes the answer when it is called, at most once in `KEPT_FOR` seconds of `clock`.

    `worker()` is the supervisor's part; `sessions` are all sessions by their id; `more` makes
    further parts, by their names.
    """

    def __init__(
        self,
        worker: Callable[[], Mapping[str, Any]],
        relay: Relay,
        freshness: Freshness,
        sessions: Mapping[str, Session],
        clock: Callable[[], float],
        *,
        recording: Recording | None = None,
        more: Mapping[str, Callable[[], Any]] | None = None,
    ) -> None:
        self._worker = worker
        self._relay = relay
        self._freshness = freshness
        self._sessions = sessions
        self._clock = clock
        self._recording = recording
        self._answers: dict[bool, tuple[float, dict[str, Any]]] = {}
        self._with_codes = False
        self._parts = [
            Reading("Reading the worker's status", lambda: self._worker().items()),
            Reading("Reading the relay's totals", lambda: [("relay", self._totals())]),
            Reading("Reading the clients", lambda: [("clients", self._listed())]),
            Reading("Reading the freshness", lambda: [("freshness", self._fresh())]),
            Reading("Reading the recording", lambda: [("recording", self._recorded())]),
        ]
        for name, tell in (more or {}).items():
            self._parts.append(Reading(f"Reading {name} for /status", partial(_named, name, tell)))

    def __call__(self, *, codes: bool = False) -> dict[str, Any]:
        """The worker's part, `relay`, `clients`, `freshness`, `recording`, and what more there is.

        `codes`: `freshness` also by code.
        """
        now = self._clock()
        made, answer = self._answers.get(codes, (-KEPT_FOR, {}))
        if now - made >= KEPT_FOR:
            answer = self._compose(codes=codes)
            self._answers[codes] = now, answer
        return answer

    def changed(self, *_: object) -> None:
        """Forget the answer that is kept, since something has changed."""
        self._answers.clear()

    def _compose(self, *, codes: bool) -> dict[str, Any]:
        """Put the answer together; a part that can't be read now is logged and left out."""
        self._with_codes = codes
        return dict(chain.from_iterable(part() for part in self._parts))

    def _listed(self) -> list[dict[str, Any]]:
        return list(islice(self._clients(), MAX_CLIENTS))

    def _fresh(self) -> dict[str, Any]:
        return self._freshness.status(codes=self._with_codes)

    def _recorded(self) -> dict[str, Any] | None:
        """None: nothing is recorded."""
        return None if self._recording is None else attrs.asdict(self._recording.status)

    def _totals(self) -> dict[str, Any]:
        """Sums since the start, and what is held now; `log` in events and bytes."""
        hubs = self._relay.hubs.values()
        transports = Counter(session.transport for session in self._sessions.values())
        return {
            "clients": {"websocket": 0, "polling": 0, **transports},
            "events": sum(hub.log.count for hub in hubs),
            "refused": sum(hub.refusals.count for hub in hubs),
            **attrs.asdict(self._relay.slow.counters),
        }

    def _clients(self) -> Iterator[dict[str, Any]]:
        """Clients that are behind come first, the one with the largest lag at the head."""
        for hub in self._relay.hubs.values():
            behind = sorted(hub.log.apart, key=_lag, reverse=True)
            level = (each for each in hub.members.values() if each not in hub.log.apart)
            for each in chain(behind, level):
                yield _client(hub, each)


def _named(name: str, tell: Callable[[], Any]) -> list[tuple[str, Any]]:
    return [(name, tell())]


def _lag(subscription: Subscription) -> int:
    return subscription.lag


def _client(hub: Hub, subscription: Subscription) -> dict[str, Any]:
    """One client; `lag` is the bytes that wait for it, `name` that of its token, if it has one."""
    session = subscription.socket.session
    return {
        "address": str(session.peer),
        "transport": session.transport,
        "namespace": hub.name,
        "lag": subscription.lag,
        "worker": known_as_worker(session),
        "name": next((token.name for token in identity_of(session).tokens), ""),
    }
