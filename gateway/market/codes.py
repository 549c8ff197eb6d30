"""Codes that name one contract: the continuous `TXFR1` trades under the code of its target.

The worker tells them in its event `market_contract`.
"""

from __future__ import annotations

from typing import Final

import orjson

from gateway.market.events import CONTRACT

MOST = 5000
"""Codes that have a target."""
MOST_NAMES = 8
"""Codes that one target has besides its own."""
MAX_LENGTH = 100
"""Characters of a code."""
NONE: Final[frozenset[str]] = frozenset()


class ContractCodes:
    """Which codes name one contract; bounded in number and length.

    The relay's `Aliases` (`gateway.relay.aliases`): a filter by one code of a contract gets
    the events under all of them.
    """

    event: Final = CONTRACT
    """The name of the event that `learn` takes."""

    def __init__(self) -> None:
        self._targets: dict[str, str] = {}
        self._names: dict[str, set[str]] = {}  # by target, the codes that have it
        self.others: dict[str | None, frozenset[str]] = {}
        """By code, the other codes of its contract; nothing of a contract that has one code."""

    def __bool__(self) -> bool:
        return bool(self._targets)

    def of(self, code: str | None) -> frozenset[str]:
        """The other codes of the contract that `code` names; empty: there are none."""
        return self.others.get(code, NONE)

    def learn(self, payload: bytes) -> bool:
        """Learn from the event `payload`, `["market_contract", {code, target_code}]` as JSON.

        Returns whether it was new.  A contract without a target, or with itself for one, has no
        other codes.  What can't be read changes nothing.
        """
        code, target = _codes(payload)
        if code is None or target is None or max(len(code), len(target)) > MAX_LENGTH:
            return False
        before = self._targets.get(code)
        after = target if target not in ("", code) else None
        known = self._names.get(after or "", ())
        if after == before or len(known) >= MOST_NAMES:
            return False
        if before is None and len(self._targets) >= MOST:
            return False
        if before is not None:
            del self._targets[code]
            self._names[before].discard(code)
            self.others.pop(code, None)
            self._join(before)
        if after is not None:
            self._targets[code] = after
            self._names.setdefault(after, set()).add(code)
            self._join(after)
        return True

    def _join(self, target: str) -> None:
        group = self._names[target] | {target}
        if len(group) == 1:
            del self._names[target]
            self.others.pop(target, None)
        else:
            self.others.update({code: frozenset(group - {code}) for code in group})


def _codes(payload: bytes) -> tuple[str | None, str | None]:
    """The contract's code and its target's; None for what is no text."""
    try:
        told = orjson.loads(payload)[1]
        code, target = told.get("code"), told.get("target_code")
    except (ValueError, IndexError, AttributeError, KeyError, TypeError):
        return None, None
    return (
        code if isinstance(code, str) and code else None,
        "" if target is None else target if isinstance(target, str) else None,
    )
