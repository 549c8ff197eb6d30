"""What the gateway can be told, as one table."""

from gateway.options.groups import grouped
from gateway.options.load import load, options
from gateway.options.option import Option
from gateway.options.table import Settings

__all__ = ["Option", "Settings", "grouped", "load", "options"]
