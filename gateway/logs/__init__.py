"""The log: one line an event, tagged, escaped and redacted.

Everybody else logs with `twisted.logger.Logger` and a `tag="Socket"` field; who has
none speaks as the `Gateway`.
"""

from gateway.logs.counts import EventCounts
from gateway.logs.lines import json_line, text_line
from gateway.logs.making import make_log
from gateway.logs.observer import Observer
from gateway.logs.output import Output

__all__ = ["EventCounts", "Observer", "Output", "json_line", "make_log", "text_line"]
