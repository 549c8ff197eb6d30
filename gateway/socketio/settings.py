"""Settings of the Socket.IO layer."""

from __future__ import annotations

from attrs import field, frozen, validators


@frozen
class Settings:
    """`connect_timeout`: seconds that a client may stay without any namespace."""

    connect_timeout: float = field(default=45.0, validator=validators.gt(0))
