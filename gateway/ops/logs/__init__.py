"""The log: one line an event, tagged, escaped and redacted.

All others log with `twisted.logger.Logger` and a field such as `tag="Socket"`; without one the
tag is `Gateway`.

- `format`: which events are logged, and the text of a line.
- `destination`: where twistd or twist was told to log to; makes the whole log.
- `sinks`: log files: rotated by size, and followed when others rename them; counts lost lines.
- `stream`: a terminal, pipe or socket, whose reader may stop reading.
- `syslog`: the system's log.
- `counts`: how many events of each name: one line for ten seconds.

`gateway.app` imports it.  It imports only `gateway.common` and `gateway.options`.
"""

from gateway.ops.logs.counts import EventCounts
from gateway.ops.logs.destination import STDOUT, make_log
from gateway.ops.logs.format import LogObserver, json_line, text_line
from gateway.ops.logs.sinks import LogOutput

__all__ = [
    "STDOUT",
    "EventCounts",
    "LogObserver",
    "LogOutput",
    "json_line",
    "make_log",
    "text_line",
]
