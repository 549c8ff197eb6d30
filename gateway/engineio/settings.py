"""Settings of one Engine.IO server."""

from __future__ import annotations

from attrs import field, frozen, validators


@frozen
class Settings:
    """Heartbeat times are in milliseconds, as in the handshake; fractions are allowed."""

    ping_interval: float = field(default=25_000, validator=validators.gt(0))
    """Between a pong (or the opening) and the next ping."""
    ping_timeout: float = field(default=20_000, validator=validators.gt(0))
    """Time for a client to answer a ping, and to fetch what waits when the session closes."""
    max_payload: int = field(default=1_000_000, validator=validators.gt(0))
    """Bytes of a polling request's body, or of one WebSocket message."""
    upgrade_timeout: float = field(default=10.0, validator=validators.gt(0))
    """Seconds for a WebSocket to complete the upgrade."""
    rate: float = field(default=0, validator=validators.ge(0))
    """Units that a client may cost a second in the long run, see `meter.py`; 0: any number."""
    burst: float = field(default=0, validator=validators.ge(0))
    """Units that a client may cost at once."""
    eio3: bool = False
    """Whether Engine.IO 3 clients (socket.io-client 2.x) are let in."""
    query: frozenset[str] | None = None
    """Names of the parameters of a client's first request that are kept; None: all."""
    sid_prefix: str = ""
    """What the ids of all sessions begin with, so that a proxy knows whose they are."""
    path: str = "/engine.io/"
    """Where the server answers; only the web layer reads it."""

    @property
    def interval(self) -> float:
        """`ping_interval` in seconds."""
        return self.ping_interval / 1000

    @property
    def timeout(self) -> float:
        """`ping_timeout` in seconds."""
        return self.ping_timeout / 1000
