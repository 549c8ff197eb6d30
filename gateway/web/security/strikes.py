"""Wrong tokens: the answer waits, longer for each further one of the same address."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from twisted.logger import Logger

from gateway.common.rate import MINUTE, LeakyBucket, Throttle
from gateway.web.security.addresses import address_key

if TYPE_CHECKING:
    from collections.abc import Callable

BURST = 5
"""Wrong tokens of one address that are answered at once, since people mistype."""
RATE = 0.5
"""Wrong tokens a second, in the long run."""
LONGEST = 20.0
"""Seconds that an answer waits at most; clients give up later than that."""
ADDRESSES = 4096
"""Addresses that are remembered: those of the newest wrong tokens."""
LINES = 20
"""Log lines in a minute, for all addresses together."""

_log = Logger(namespace="gateway")


class _Address:
    """What one address has done."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.strikes = LeakyBucket(RATE, clock)
        self.may_tell = Throttle(clock)
        self.untold = 0


class Strikes:
    """Counts wrong tokens by address; right tokens are never delayed.

    `clock`: seconds, on any clock that does not jump.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._addresses: OrderedDict[str, _Address] = OrderedDict()
        self._lines = LeakyBucket(LINES / MINUTE, clock)

    def wrong(self, address: str, what: str) -> float:
        """Count a wrong token for `what`; returns the seconds that the answer has to wait."""
        key = address_key(address)
        known = self._addresses.pop(key, None) or _Address(self._clock)
        self._addresses[key] = known
        if len(self._addresses) > ADDRESSES:
            self._addresses.popitem(last=False)
        known.untold += 1
        if known.may_tell():
            self._tell(known, address, what)
        strikes = known.strikes.add(BURST + LONGEST * RATE)
        return min(LONGEST, max(0.0, (strikes - BURST) / RATE))

    def _tell(self, known: _Address, address: str, what: str) -> None:
        if self._lines.add(LINES) > LINES:
            return
        count, known.untold = known.untold, 0
        _log.warn(
            "A wrong token for {what} from {address}{more}",
            tag="Audit",
            what=what,
            address=address or "a UNIX socket",
            more=f", {count} since it was told last" if count > 1 else "",
        )
