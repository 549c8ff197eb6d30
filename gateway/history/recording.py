"""The recording as a whole: what the gateway starts, stops, and asks how it is."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from gateway.history.event_thread import FULL, QUEUE_BYTES, EventThread, Gap
from gateway.history.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.history.recordings_folder import RecordSettings
    from gateway.market.hours import TradingPart

PERIOD: Final = 0.7
"""Seconds for which events are collected: what a process that is killed has not written."""
GRACE: Final = 5.0
"""Seconds after which a trouble is told that has cost no event so far."""
MAX_REASONS: Final = 10
"""Most reasons that are logged before all is well again."""
LAST_WRITES: Final = 5.0
"""Seconds that a stop waits for the disk."""

_log = Logger(namespace="gateway.history")


@attrs.frozen(kw_only=True)
class RecordingStatus:
    """How the recording is; sums are since the start."""

    folder: str
    file: str
    """The name of the file that is written; "": none."""
    trouble: str
    """Why events can't be written now; "": nothing is wrong."""
    events: int
    bytes: int
    """Compressed, on the disk."""
    gaps: int
    lost: int
    """Events that are in no file."""
    waiting: int
    """Bytes of events that wait to be written."""


class Recording:
    """Records the events that its `tap` is called with.

    `call_from_thread` and `call_later` are the reactor's.  Each of `listeners` is called with
    `(trouble, lost)` when the recording fails, and with ("", lost) when it goes on: `lost` events
    are missing.
    """

    LOOK_EVERY: Final = 1.0
    """Seconds between two calls of `look`."""

    def __init__(
        self,
        settings: RecordSettings,
        part_of: Callable[[float], TradingPart],
        reactor: Any,
        *,
        version: str,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        queue_bytes: int = QUEUE_BYTES,
    ) -> None:
        stopping = threading.Event()
        self._settings = settings
        self._reactor = reactor
        self._wall = wall
        self._monotonic = monotonic
        self._recorder = Recorder(
            settings, part_of, stopping, version=version, wall=wall, monotonic=monotonic
        )
        self.tap = EventThread(
            "recording",
            self._recorder,
            reactor.callFromThread,
            stopping=stopping,
            why=lambda: self._trouble() or FULL,
            max_bytes=queue_bytes,
            period=PERIOD,
        )
        """Its `collect` is to be put among `Log.taps`, its `look` to be called."""
        self.listeners: list[Callable[[str, int], object]] = []
        self.start = self.tap.start
        self._logged: set[str] = set()
        self._bad_since: float | None = None
        self._well_since = 0.0
        self._lost_seen = 0
        self._told = 0
        self._is_told = False

    def missed(self, events: int, why: str) -> None:
        """Note at this place that so many events were said and not heard here."""
        now = self._wall()
        self.tap.call(lambda: self._recorder.miss(Gap(now, now, events, why)))

    def flush(self) -> None:
        """Write all before the program of this process is replaced; what could not be is told.

        Blocks for a moment at most.  The next program knows nothing of it, so that no gap tells it.
        """
        if not self.tap.flush():
            _log.error(
                "The newest events are not recorded ({why}): the disk did not take them before the"
                " hand-over",
                why=self._trouble() or "it does not answer",
            )

    def stop(self) -> Deferred[None]:
        """Fires when everything is written, or when the disk has had its time."""
        ended: Deferred[None] = Deferred()
        late = self._reactor.callLater(LAST_WRITES, lambda: ended.callback(None))

        def when_ended() -> None:
            if late.active():
                late.cancel()
                ended.callback(None)

        self.tap.stop(when_ended)
        return ended.addCallback(lambda _: self._say_goodbye())

    def _say_goodbye(self) -> None:
        status = self.status
        self.look()
        if status.trouble or self.tap.waiting:
            _log.error(
                "The recording ends without its last events ({why}): {lost} could not be written,"
                " {size} bytes still wait",
                why=status.trouble or FULL,
                lost=status.lost,
                size=self.tap.waiting,
            )

    @property
    def status(self) -> RecordingStatus:
        """How it is now."""
        recorder = self._recorder
        return RecordingStatus(
            folder=str(self._settings.folder),
            file=recorder.file_name,
            trouble=self._trouble(),
            events=recorder.events,
            bytes=recorder.bytes,
            gaps=recorder.gaps + self.tap.gaps + self.tap.failures,
            lost=recorder.lost + self.tap.lost,
            waiting=self.tap.waiting,
        )

    def _trouble(self) -> str:
        since = self._recorder.writing_since
        if self._recorder.trouble:
            return self._recorder.trouble
        if since is not None and self._monotonic() - since >= GRACE:
            return "the disk does not answer"
        return FULL if self.tap.is_full else ""

    def look(self) -> None:
        """Log what has changed, and tell `listeners`; to be called every `LOOK_EVERY`."""
        self.tap.settle()
        while self._recorder.news:
            _log.info("{line}", line=self._recorder.news.popleft())
        trouble, lost, now = self._trouble(), self.status.lost, self._monotonic()
        if trouble and trouble not in self._logged and len(self._logged) < MAX_REASONS:
            self._logged.add(trouble)
            _log.error("Recording fails: {why}", why=trouble)
        if trouble or lost > self._lost_seen:
            self._is_bad(trouble, lost, now)
        elif self._bad_since is not None:
            self._is_well(lost, now)
        self._lost_seen = lost

    def _is_bad(self, trouble: str, lost: int, now: float) -> None:
        if self._bad_since is None:
            self._bad_since = now
        self._well_since = now
        if not self._is_told and (lost > self._told or now - self._bad_since >= GRACE):
            self._is_told = True
            self._tell(trouble or "events could not be recorded", lost - self._told)

    def _is_well(self, lost: int, now: float) -> None:
        """Nothing is wrong any more: that is told when it lasts, so that it is told once."""
        if now - self._well_since < GRACE:
            return
        self._bad_since = None
        self._logged.clear()
        _log.warn("Recording goes on; {lost} events are missing", lost=lost - self._told)
        if self._is_told:
            self._is_told = False
            self._tell("", lost - self._told)
        self._told = lost

    def _tell(self, trouble: str, lost: int) -> None:
        for each in self.listeners:
            each(trouble, lost)
