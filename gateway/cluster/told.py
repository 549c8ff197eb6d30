"""What a gateway tells the others of itself, and whether it was started as they were."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_SHOWN: Final = 60
"""Characters of an option's value that are shown."""


class Told(msgspec.Struct, frozen=True):
    """What a gateway tells of itself."""

    process: str
    """Which process of it."""
    beat: int
    version: str = ""
    clients: int = 0
    options: dict[str, str] = {}
    """Those that have to be the same on all gateways."""


def read(text: bytes | None) -> Told | None:
    """What a gateway tells; None for nothing, or nonsense."""
    with suppress(msgspec.MsgspecError):
        return msgspec.json.decode(text or b"", type=Told)
    return None


def differing(here: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    """The options whose values differ; one that a gateway does not tell is as ours."""
    return [name for name, value in here.items() if there.get(name, value) != value]


def explained(names: Sequence[str], here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """Those options with both values, for people."""
    parts = (f"{name} is {_short(there[name])}, here {_short(here[name])}" for name in names)
    return "; ".join(parts)


def _short(value: str) -> str:
    return repr(value if len(value) <= MOST_SHOWN else f"{value[:MOST_SHOWN]}...")
