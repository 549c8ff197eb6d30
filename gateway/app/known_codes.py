"""The answer of `GET /codes`: what the relay's snapshot tells of each code, and its newest tick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.market.contracts import describe, sessions
from gateway.market.events import CONTRACT, QUOTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.relay.hub import Hub

KEPT_FOR: Final = 1.0
"""Seconds for which an answer is kept: every page that opens asks."""
NAMES: Final = (*QUOTES, CONTRACT)


class KnownCodes:
    """Makes the answer when it is called, at most once in `KEPT_FOR` seconds of `clock`.

    `hub` is the namespace of the market, None: it is not relayed.  `newest(code)` is the time of
    its newest tick, in seconds since 1970, None: there was none.  `timezone` is an IANA name.
    """

    def __init__(
        self,
        hub: Hub | None,
        newest: Callable[[str], float | None],
        timezone: str,
        clock: Callable[[], float],
    ) -> None:
        self._hub = hub
        self._newest = newest
        self._timezone = timezone
        self._clock = clock
        self._made = -KEPT_FOR
        self._answer: dict[str, Any] = {}

    def __call__(self) -> dict[str, Any]:
        """`timezone`, `markets` with their `sessions`, and `codes`, see `describe`.

        Each of `codes` has `aliases` besides, the other codes of its contract, and `newest`.
        """
        now = self._clock()
        if now - self._made >= KEPT_FOR:
            self._answer = {
                "timezone": self._timezone,
                "markets": sessions(),
                "codes": {} if self._hub is None else self._codes(self._hub),
            }
            self._made = now
        return self._answer

    def _codes(self, hub: Hub) -> dict[str, Any]:
        codes = describe(_told(hub))
        for code, facts in codes.items():
            facts["aliases"] = others = sorted(hub.aliases.of(code))
            times = [time for each in (code, *others) if (time := self._newest(each)) is not None]
            facts["newest"] = max(times, default=None)
        return codes


def _told(hub: Hub) -> Iterator[tuple[str, str, bytes]]:
    for event in hub.newest(NAMES):
        if isinstance(event.code, str):
            text = event.packets[0].data
            yield str(event.name), event.code, text[text.find(b"[") :]
