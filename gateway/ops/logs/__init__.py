"""The log: one line an event, tagged, escaped and redacted.

Everybody else logs with `twisted.logger.Logger` and a `tag="Socket"` field; who has
none speaks as the `Gateway`.
"""

from gateway.ops.logs.counts import EventCounts
from gateway.ops.logs.destination import make_log
from gateway.ops.logs.format import Observer, json_line, text_line
from gateway.ops.logs.sinks import Output

__all__ = ["EventCounts", "Observer", "Output", "json_line", "make_log", "text_line"]
