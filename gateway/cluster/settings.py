"""What can be set about a cluster."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.cluster.address import Address

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}", re.ASCII)
"""Names of clusters and gateways."""
KEY_SIZE: Final = 32
"""Bytes of a key at least."""


@attrs.frozen(kw_only=True)
class ClusterSettings:
    """The cluster's settings; times in seconds, sizes in bytes."""

    address: Address
    name: str = "default"
    """Gateways with the same name on the same server share a log."""
    gateway: str
    """The name of this gateway, which no other one has."""
    key: bytes = attrs.field(repr=False)
    """The secret that all gateways of the cluster have."""
    hold: float = 0.5
    """How long an event waits for the log."""
    namespaces: tuple[str, ...] = ("/",)
    history: int = 8 << 20
    records: int = 20_000
    alike: Mapping[str, str] = {}
    """The options that have to be the same on all gateways, with their values as texts."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log may have."""
        key = self.key.decode("utf-8", "replace")
        return (key, self.address.password) if self.address.password else (key,)

    @property
    def key_mark(self) -> str:
        """What tells whether another gateway has the same key, and nothing else of it."""
        return self.secret("mark").hex()[:16]

    def secret(self, what: str) -> bytes:
        """A key of its own for each use."""
        return hmac.digest(self.key, what.encode(), "sha256")
