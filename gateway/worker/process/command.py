"""What a guardian is told to run."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@frozen
class Command:
    """What to run."""

    argv: Sequence[str]
    cwd: str
    env: Mapping[str, str]
    identity: Mapping[str, str] = {}
    """What makes it another one than others, by the name for that: digests, no secrets."""

    def told(self, **more: Any) -> str:
        """The first line for a guardian, with what it is told besides."""
        return json.dumps(
            {
                "argv": list(map(latin, self.argv)),
                "cwd": latin(self.cwd),
                "env": {latin(name): latin(value) for name, value in self.env.items()},
                "identity": dict(self.identity),
                **more,
            }
        )


def latin(text: str) -> str:
    """The bytes the system would be given, each as one character."""
    return os.fsencode(text).decode("latin-1")


def plain(text: str) -> str:
    """What `latin` was made of."""
    return os.fsdecode(text.encode("latin-1"))
