"""The log: one line an event, tagged, escaped and redacted.

Everybody else logs with `twisted.logger.Logger` and a `tag="Socket"` field; who has
none speaks as the `Gateway`.

- `counts`: how many events of which name: one line for all of ten seconds.
- `destination`: which log twistd or twist was told to write: ours goes to the same place.
- `format`: from a log event to the text of its line: pure functions.
- `sinks`: a log file that only its owner reads, rotated by size, whatever others do to it.
- `stream`: log lines to a terminal, a pipe or a socket, whose reader may stop reading.
- `system`: log lines to the system's log, which may be slow, restarted, or not there.
"""

from gateway.ops.logs.counts import EventCounts
from gateway.ops.logs.destination import make_log
from gateway.ops.logs.format import Observer, json_line, text_line
from gateway.ops.logs.sinks import Output

__all__ = ["EventCounts", "Observer", "Output", "json_line", "make_log", "text_line"]
