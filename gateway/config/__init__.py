"""What the gateway can be told, as one table."""

from gateway.config.option import Option
from gateway.config.settings import Settings, load, options

__all__ = ["Option", "Settings", "load", "options"]
