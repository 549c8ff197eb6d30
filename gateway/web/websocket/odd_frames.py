"""Brings in Autobahn when the first odd frame comes, and not before.

Hardly any client sends one, and Autobahn takes 5 MB and a tenth of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted.internet.address import IPv4Address
    from twisted.internet.interfaces import IReactorTime

    from gateway.web.websocket.fallback import Fallback, FallbackFactory, FallbackOwner


class OddFrames:
    """Makes what reads odd frames; the arguments are those of `FallbackFactory`."""

    def __init__(self, reactor: IReactorTime, *, deflate: bool, max_payload: int) -> None:
        self._reactor = reactor
        self._deflate = deflate
        self._max_payload = max_payload
        self._factory: FallbackFactory | None = None

    def reader(self, owner: FallbackOwner, peer: IPv4Address, limit: int) -> Fallback:
        """Autobahn's protocol in its open state; no frame and no message may be over `limit`."""
        from gateway.web.websocket.fallback import Fallback, FallbackFactory  # noqa: PLC0415

        if self._factory is None:
            self._factory = FallbackFactory(
                self._reactor, deflate=self._deflate, max_payload=self._max_payload
            )
        reader = Fallback(owner, peer)
        reader.limit(limit)
        reader.start(self._factory)
        return reader
