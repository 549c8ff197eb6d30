"""What the gateway before this one, in the same process, tells by an environment variable.

    VARIABLE={"pid": 123, "sockets": [["127.0.0.1", 9], ["ssl:3443:...", 11]]}

The same variable tells a child of the old program, which checks whether the new one could start,
which places need not be free, and whether there is a worker to lose.  Nothing of Twisted is
imported here: a start needs this first of all, see `early`.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "_SJGATEWAY_HAND_OVER"
"""No option: those begin with SJGATEWAY_."""


class Held(msgspec.Struct, frozen=True):
    """The listening sockets that process `pid` keeps open over a hand-over."""

    pid: int
    sockets: tuple[tuple[str, int], ...] = ()
    """The text of a place, and the number of its descriptor."""
    memo: int = -1
    """The descriptor of what else the old program has to say; -1: nothing."""
    has_worker: bool = True
    """Whether a worker runs, which would be lost if the new program could not start it."""

    @classmethod
    def told(cls, environ: Mapping[str, str]) -> Held:
        """What the variable says; process 0 without any where there is none, or none of ours."""
        with suppress(msgspec.MsgspecError):
            return msgspec.json.decode(environ.get(VARIABLE, ""), type=cls)
        return cls(0)

    @property
    def text(self) -> str:
        """What the variable has to say."""
        return msgspec.json.encode(self).decode()

    @property
    def is_ours(self) -> bool:
        """Whether this process holds them: it was the old program, and is the new one."""
        return self.pid == os.getpid()

    @property
    def own_memo(self) -> int:
        """The memo, where this process was the old program; else -1."""
        return self.memo if self.is_ours else -1

    @property
    def is_our_parents(self) -> bool:
        """Whether this process is the child that checks a start."""
        return self.pid == os.getppid()

    @property
    def places(self) -> frozenset[str]:
        """The places that need not be free."""
        return frozenset(place for place, _ in self.sockets)
