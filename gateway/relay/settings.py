"""What can be set about the relay."""

from __future__ import annotations

from functools import partial
from secrets import token_bytes
from typing import TYPE_CHECKING

import attrs

from gateway.relay.aliases import NoAliases
from gateway.relay.event import Keys
from gateway.relay.lagging import SlowClientLimits
from gateway.relay.late_joiners import SnapshotSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.relay.aliases import Aliases


@attrs.frozen(kw_only=True)
class RelaySettings:
    """The relay's settings; times in seconds, sizes in bytes."""

    namespaces: tuple[str, ...] = ("/",)
    """Each has a log of its own."""
    echo: bool = False
    """Send events back to their sender too."""
    log_bytes: int = 8 << 20
    log_records: int = 20_000
    flush_interval: float = 0
    """Collect events for so long before they are sent; 0: to the end of the reactor turn."""
    ack_timeout: float = 60
    recovery_time: float = 120
    """How long a client that asked for recovery may stay away."""
    pid_key: Callable[[], bytes] = attrs.field(
        factory=lambda: partial(bytes, token_bytes(32)), eq=False
    )
    """The secret that signs private ids; asked for when it is needed."""
    keys: Keys = attrs.Factory(Keys)
    aliases: Callable[[], Aliases] = NoAliases
    """Makes what knows the codes that name one thing; called once for each namespace."""
    snapshots: SnapshotSettings = attrs.Factory(SnapshotSettings)
    slow_client_limits: SlowClientLimits = attrs.Factory(SlowClientLimits)
