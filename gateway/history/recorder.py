"""Records events, in the thread of an `EventThread`: makes lines of them, frames of lines, files.

What is handed over together, or a megabyte of it, is one zstd frame: it is on the disk before the
next one is begun.  While nothing can be written the same frame is tried again, and what comes
waits in the queue of the `EventThread`; what has no room there is a gap, a line of its own.
"""

from __future__ import annotations

import os
import time
from collections import deque
from datetime import datetime
from errno import EACCES
from typing import TYPE_CHECKING, Final

from gateway.common.attempt import reason
from gateway.history.event_thread import Gap
from gateway.history.recorded_lines import (
    FORMAT,
    gap_line,
    head_line,
    is_made_up,
    line,
    parse,
    payload_of,
    plain_lines,
)
from gateway.history.recordings_folder import Name, prune
from gateway.history.zstd_file import ForeignFileError, FrameFile, compress
from gateway.market.hours import TAIPEI

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from gateway.history.heard_event import HeardEvent
    from gateway.history.recordings_folder import RecordSettings
    from gateway.market.hours import TradingPart

FRAME_BYTES: Final = 1 << 20
"""A frame ends when its lines have this many bytes."""
RETRY: Final = 1.0
"""Seconds after which something that failed is tried again."""
PRUNE_EVERY: Final = 600.0
"""Seconds between two looks for old recordings."""
AT_ONCE: Final = 32
"""Events that are looked at together: a frame is larger than `FRAME_BYTES` by so many at most."""
MAX_FILES: Final = 99
"""Most files of one part of a trading day."""


class Recorder:
    """The `Duty` that records.  Its public attributes are read by the reactor.

    `part_of(wall)` says to which file a time belongs.  Once `stopping` is set, what fails is not
    tried again.  `wall` is in seconds since 1970, `monotonic` in seconds.
    """

    def __init__(
        self,
        settings: RecordSettings,
        part_of: Callable[[float], TradingPart],
        stopping: threading.Event,
        *,
        version: str,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.events = 0
        """Events that are on the disk."""
        self.bytes = 0
        """Bytes that were written, compressed."""
        self.gaps = 0
        """Gaps besides those of the queue."""
        self.lost = 0
        """Events that are in no file, besides those of the queue."""
        self.trouble = ""
        """Why nothing can be written now; "": nothing is wrong."""
        self.writing_since: float | None = None
        """When the write that is under way began, by `monotonic`."""
        self.file_name = ""
        """The file that is written."""
        self.news: deque[str] = deque(maxlen=100)
        """Lines for the log."""
        self._settings = settings
        self._part_of = part_of
        self._stopping = stopping
        self._version = version
        self._wall = wall
        self._monotonic = monotonic
        self._part = part_of(wall())
        self._file: FrameFile | None = None
        self._head = b""
        self._lines: list[bytes] = []
        self._size = 0
        self._first_wall = self._last_wall = 0.0
        self._recorded = 0
        self._next_look = self._next_prune = -1.0

    # -- the duty --------------------------------------------------------------------------

    def take(self, events: Sequence[HeardEvent]) -> None:
        """Take the events of some turns; one that can't be made a line costs only itself."""
        for at in range(0, len(events), AT_ONCE):
            some = events[at : at + AT_ONCE]
            if not self._took_together(some):
                for event in some:
                    self._take(event)

    def _took_together(self, events: Sequence[HeardEvent]) -> bool:
        """Take `events` if they are as nearly all are: the present worker's, texts alone."""
        texts = [
            event.packets[0].data
            for event in events
            if event.trusted and event.current and len(event.packets) == 1
        ]
        walls = [event.wall for event in events]
        part = self._part
        if len(texts) < len(events) or not part.begins <= min(walls) <= max(walls) < part.ends:
            return False
        lines = plain_lines(walls, texts)
        if lines is None:
            return False
        self._add(walls[0], walls[-1], lines, len(lines))
        return True

    def _take(self, event: HeardEvent) -> None:
        other = not (event.trusted and event.current)
        if other and not self._settings.everybody:
            return
        try:
            text, *attachments = event.packets
            payload = payload_of(text.data)
            if is_made_up(payload):
                return
            made = line(event.wall, payload, [each.data for each in attachments], other=other)
        except Exception as error:
            self.miss(Gap(event.wall, event.wall, 1, reason(error)))
        else:
            self._add(event.wall, event.wall, [made], 1)

    def gap(self, gap: Gap) -> None:
        """Write down that events are missing here."""
        self._add(gap.since, gap.since, [gap_line(gap)], 0)

    def tick(self) -> float | None:
        """Write the frame, look for old recordings; when to call it again."""
        self._flush()
        now = self._monotonic()
        if not self._lines and now >= self._next_look and (self.trouble or self._next_look < 0):
            self._next_look = now + RETRY
            self._look()
        if now >= self._next_prune:
            self._next_prune = now + PRUNE_EVERY
            self._prune()
        return RETRY if self._lines or self.trouble else None

    def flush(self) -> None:
        """Write what waits now, and go on."""
        self._flush()

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        self._flush()
        self._flush()  # the gap, if the first frame could not be written
        self._close()

    # -- frames ----------------------------------------------------------------------------

    def miss(self, gap: Gap) -> None:
        """Events are lost here, in this thread."""
        self.gaps += 1
        self.lost += gap.events
        self.gap(gap)

    def _add(self, first: float, last: float, lines: list[bytes], events: int) -> None:
        """Add lines with so many events to the frame of the file to which their times belong."""
        part = self._part
        if not part.begins <= first < part.ends:
            self._flush()
            self._close()
            self._part = self._part_of(first)
        if not self._lines:
            self._first_wall = first
        self._last_wall = last
        self._lines += lines
        self._recorded += events
        self._size += sum(map(len, lines))
        if self._size >= FRAME_BYTES:
            self._flush()

    def _flush(self) -> None:
        """Write the lines, whenever that becomes possible."""
        if not self._lines:
            return
        lines, self._lines, self._size = self._lines, [], 0
        recorded, self._recorded = self._recorded, 0
        try:
            is_written = self._write(compress(b"".join(lines)))
        except Exception as error:  # not the disk: to try it again would not help
            self._close()
            self.miss(Gap(self._first_wall, self._last_wall, recorded, reason(error)))
            return
        if is_written:
            self.events += recorded
        elif recorded:
            self.miss(Gap(self._first_wall, self._last_wall, recorded, self.trouble))

    def _write(self, frame: bytes) -> bool:
        """Write a frame, again and again; False: given up, since the gateway stops."""
        is_last = False
        while not self._has_written(frame):
            if is_last:
                return False
            is_last = self._stopping.wait(RETRY)
        return True

    def _has_written(self, frame: bytes) -> bool:
        self.writing_since = self._monotonic()
        try:
            if self._file is None or not self._file.is_in_place:
                self._close()
                self._file = self._open()
                self._head = compress(head_line(self._first_wall, self._version))
            self._file.write(self._head + frame)
        except OSError as error:
            self.trouble = reason(error)
            return False
        finally:
            self.writing_since = None
        self.bytes += len(self._head) + len(frame)
        self._head = b""
        self.trouble = ""
        return True

    # -- files -----------------------------------------------------------------------------

    def _open(self) -> FrameFile:
        """The file of the present part, to go on in it.  Raises OSError."""
        self._make_folder()
        for number in range(1, MAX_FILES + 1):
            name = str(Name(self._part.day, self._part.part, number))
            path = self._settings.folder / name
            try:
                file = FrameFile(path)
            except BlockingIOError as error:
                raise OSError(
                    error.errno,
                    "another gateway records into this file; give each a folder of its own",
                    str(path),
                ) from None
            except ForeignFileError:
                continue
            if _is_ours(file):
                goes_on = "goes on" if file.end else "begins"
                self.news.append(f"The recording {path} {goes_on}")
                self.file_name = name
                return file
            file.close()
        raise OSError(0, "no name is left for a recording", str(self._settings.folder))

    def _make_folder(self) -> None:
        self._settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _look(self) -> None:
        """Find out whether files can be made, before there is an event to write."""
        folder = self._settings.folder
        try:
            self._make_folder()
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(EACCES, os.strerror(EACCES), str(folder))
        except OSError as error:
            self.trouble = reason(error)
        else:
            self.trouble = ""

    def _prune(self) -> None:
        settings = self._settings
        keep = self._part.day, self._part.part
        today = datetime.fromtimestamp(self._wall(), TAIPEI).date()
        try:
            removed = prune(
                settings.folder, today, days=settings.days, max_bytes=settings.max_bytes, keep=keep
            )
        except OSError:
            return  # the next write will say it
        for path, why in removed:
            self.news.append(f"Removed the recording {path}: {why}")

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            self.file_name = ""
            file.close()


def _is_ours(file: FrameFile) -> bool:
    """Whether the file is empty, or begins with a line that says our format.

    Not if its beginning is damaged.  Raises OSError where it can't be read, and then closes it.
    """
    if file.end == 0:
        return True
    try:
        head = parse(file.first().partition(b"\n")[0]).recording
    except ValueError:
        return False
    except OSError:
        file.close()
        raise
    return head is not None and head.get("format") == FORMAT
