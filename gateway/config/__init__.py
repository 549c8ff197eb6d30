"""What the gateway can be told, as one table."""

from gateway.config.groups import grouped
from gateway.config.load import load, options
from gateway.config.option import Option
from gateway.config.settings import Settings

__all__ = ["Option", "Settings", "grouped", "load", "options"]
