"""What the gateway that has the worker leaves for the one that has it next, sealed, in Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.cluster.resp import RedisError
from gateway.cluster.scripts import Script

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.cluster.election import Record
    from gateway.cluster.link import Link
    from gateway.cluster.scripts import Names
    from gateway.cluster.seal import Seal

KEEP: Final = Script("""
local holder, token = unpack(redis.call('HMGET', KEYS[1], 'holder', 'token'))
if holder ~= ARGV[1] or token ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[2], ARGV[3])
return 1
""")
"""Keep something for the next holder.  KEYS: the lease, what is kept.  ARGV: holder and token, as
they are in the lease, and what is to be kept."""


class Inheritance:
    """Writes it while we hold the lease, and reads it when we get it."""

    def __init__(self, link: Link, names: Names, seal: Seal) -> None:
        self._link = link
        self._names = names
        self._seal = seal
        link.scripts.append(KEEP)

    def keep(self, own: Record, text: bytes) -> None:
        """Leave `text`, as the holder by `own`; nothing is kept where that is not so any more."""
        sealed = self._seal.close(text, self._names.keys)
        keys = (self._names.lease, self._names.keys)
        arguments = (own.holder, str(own.token), sealed)
        self._link.run_script(KEEP, keys, arguments, lambda _: None)  # it is kept at each beat

    def read(self, heard: Callable[[bytes | None], object], failed: Callable[[], object]) -> None:
        """`heard` is called with what was left, None for nothing; or `failed`: ask again.

        What nobody with the cluster's key has written counts as nothing.
        """

        def answered(reply: Any) -> None:
            if isinstance(reply, RedisError):
                failed()
                return
            heard(None if reply is None else self._opened(reply))

        self._link.call("GET", self._names.keys, answer=answered)

    def _opened(self, sealed: bytes) -> bytes | None:
        try:
            return self._seal.open(sealed, self._names.keys)
        except ValueError:
            return None
