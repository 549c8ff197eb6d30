"""Which server it is, and whether it is new enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

OLDEST: Final = (7, 0)
"""The oldest version of Redis that will do.  Valkey tells the version of Redis that it is like."""


@attrs.frozen
class Version:
    """A server: its name and version for people, and which version of Redis it is like."""

    name: str
    like: tuple[int, ...]

    @classmethod
    def of(cls, told: Mapping[str, str]) -> Version:
        """That of a server whose `INFO server` has `told` these fields."""
        like = told.get("redis_version", "0")
        kind = "Valkey" if told.get("server_name") == "valkey" else "Redis"
        parts = [int(part) for part in like.split(".")[:2] if part.isdecimal()]
        return cls(f"{kind} {told.get('valkey_version', like)}", tuple(parts))

    @property
    def problem(self) -> str:
        """What is wrong with it; "": nothing."""
        return "" if self.like >= OLDEST else f"{self.name} is too old"

    @property
    def cure(self) -> str:
        """What to do about it."""
        return f"install Redis {'.'.join(map(str, OLDEST))} or later, or Valkey"
