"""The log: one line an event, tagged, escaped and redacted.

All others log with `twisted.logger.Logger` and a field such as `tag="Socket"`; without one the
tag is `Gateway`.

- `format`: which events are logged, and the text of a line.
- `destination`: where twistd or twist was told to log to; makes the whole log.
- `sinks`: log files, rotated by size; the system's log; counts lost lines.
- `tail`: the gateway's own last lines, for `GET /logs`.
- `stream`: a terminal, pipe or socket, whose reader may stop reading.
- `activity`: how many events of each name there were, and which clients come and go.

`gateway.app` imports it.  It imports only `gateway.common`, `gateway.options` and, for
its types, `gateway.engineio`.
"""

from gateway.ops.logs.activity import EventCounts, SessionLog
from gateway.ops.logs.destination import STDOUT, make_log
from gateway.ops.logs.format import LogObserver, json_line, text_line
from gateway.ops.logs.sinks import LogOutput
from gateway.ops.logs.tail import LogTail

__all__ = [
    "STDOUT",
    "EventCounts",
    "LogObserver",
    "LogOutput",
    "LogTail",
    "SessionLog",
    "json_line",
    "make_log",
    "text_line",
]
