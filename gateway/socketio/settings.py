"""Settings of the Socket.IO layer."""

from __future__ import annotations

from attrs import field, frozen, validators


@frozen
class Settings:
    """Times in seconds."""

    connect_timeout: float = field(default=45.0, validator=validators.gt(0))
    """How long a client may stay without any namespace."""
    attachment_timeout: float = field(default=30.0, validator=validators.gt(0))
    """How long the attachments of an event may be under way; twice that at most."""
