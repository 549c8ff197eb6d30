"""Bars that a gateway of a cluster tells another one, which was away: a page at a time."""

from __future__ import annotations

from typing import Final

import msgspec

from gateway.history.bars import KeptBar  # noqa: TC001  # msgspec reads it

MOST_ROWS: Final = 1000
"""Bars of a page, which are about 50 KB."""


class Wish(msgspec.Struct, frozen=True):
    """Which bars a gateway lacks: those that begin from `begin` on, before `end`."""

    begin: int
    end: int
    after: tuple[str, int] | None = None
    """Where the page before ended; None: this is the first one."""


class Page(msgspec.Struct):
    """Some of these bars, and with the first of them what else is told only once."""

    mark: str
    """`demo` and the like for bars that are not the market's; "": they are."""
    bars: dict[str, list[KeptBar]] = {}
    """By code."""
    newest: dict[str, float] = {}
    """By code, the time of its newest tick."""
    aliases: list[tuple[str, int, str]] = []
    """Each code that stood for another one, from when on, and the other one."""
    after: tuple[str, int] | None = None
    """Where the next page begins; None: this is the last one."""
