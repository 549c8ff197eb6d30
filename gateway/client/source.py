"""Where market data comes from, as the worker sees it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gateway.client.console import log

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.client.connection import Gateway
    from gateway.client.events import Event


class SessionLost(Exception):  # noqa: N818  # the broker's word for it
    """The broker's session went down and the library gave up on it."""


class MissingPackage(Exception):  # noqa: N818  # says what it is
    """A package that is needed is not installed."""


class Source:
    """Where market data comes from; this one has none."""

    service = "main"

    def open(self) -> Iterator[None]:
        """Get ready; yields between the slow steps, so that a stop can be noticed."""
        yield

    def step(self, now: float) -> float:
        """Publish what is due at `now`; the time (monotonic, s) of the next call."""
        return math.inf

    def snapshot(self) -> None:
        """Publish `market_snapshot` of every contract."""

    def state(self) -> Event:
        """The source's part of the heartbeat."""
        return {"shioaji_connected": False, "current_price": None, "subscribed_contracts": 0}

    def close(self) -> None:
        """Give back what `open` took."""


class NoCredentials(Source):
    """Says that there are no keys, and waits to be restarted with some."""

    def __init__(self, gateway: Gateway, missing: str) -> None:
        self._gateway = gateway
        self._missing = missing

    def open(self) -> Iterator[None]:
        hint = f"{self._missing} is not set: POST /set-sj-key, or set it and restart"
        log.info("no credentials (%s); for a demonstration: --demo", hint)
        self._gateway.tell("python_status", {"status": "no credentials", "message": hint})
        yield


def ignore(_: Event) -> None:
    """Do nothing with a tick."""


def tell_ready(gateway: Gateway, version: Event, contracts: Sequence[Any]) -> None:
    """Tell that market data of `contracts` is coming."""
    gateway.tell("shioaji_ready", {"status": "ready", **version, "service_type": "market_data"})
    gateway.tell("python_status", {"status": "ready"})
    sample = ", ".join(f"{contract.code} {contract.name}" for contract in contracts[:3])
    gateway.tell("contracts_loaded", {"count": len(contracts), "sample": sample})
