"""Plays recordings to the gateway, and does what it is told meanwhile.

The gateway is asked `sjgateway:replay` over and over.  A question tells how the replay is, and
comes behind the events that were sent before it; its answer says what to change, if anything.  The
gateway keeps the newest question until there is something to say, or a second has passed, and
answers the one before when a newer one comes.  So an answer also says that all up to the next
question was taken: there is one for each `EVERY` bytes, and no event is sent while `OPEN` of them
wait.  With the speed `max` the gateway answers when its clients have read, too.
"""

from __future__ import annotations

import os
import random
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import attrs

from gateway.engineio.packet import OVERHEAD
from gateway.market.events import ASK_REPLAY
from gateway.replay.connection import Connection, LostError
from gateway.replay.pace import Pace
from gateway.replay.shift import shifted
from gateway.replay.wishes import Place, read_speed, speed_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.replay.tape import Entry, Tape

EVERY: Final = 1 << 16
"""Bytes of events from one question to the next, with `OVERHEAD`."""
OPEN: Final = 4
"""Questions that may wait for their answers: all that is under way is less than what the gateway
bears of a client that reads slowly (`--slow-size`)."""
FULL: Final = 1 << 18
"""Bytes that may wait for the system."""
LONGEST: Final = 1.0
"""Seconds between two looks at what there is to do."""
FIRST_TRY, LAST_TRY = 0.5, 5.0
"""Seconds between two tries to connect."""


@attrs.frozen(kw_only=True)
class ReplaySettings:
    """How it is played."""

    speed: float = 1.0
    """0: paused; infinite: as fast as it is read."""
    begin: Place | None = None
    """Where it begins; None: with the first event."""
    loop: bool = False
    """Whether it begins again after the last event."""
    moved: bool = False
    """Whether the times in events become those of now."""


class Player:
    """Plays `tape` to the gateway at `address`.  `say(text)` is told what happens."""

    _connection: Connection

    def __init__(
        self,
        tape: Tape,
        settings: ReplaySettings,
        address: str,
        say: Callable[[str], object],
        *,
        connect: Callable[[str], Connection] = Connection,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._tape = tape
        self._settings = settings
        self._address = address
        self._say = say
        self._connect = connect
        self._clock = clock
        self._pace = Pace(tape.begins, settings.speed, clock=clock, wall=wall)
        self._begin = settings.begin.after(tape.begins) if settings.begin else tape.begins
        self._commands: deque[dict[str, Any]] = deque()
        self._wanted: float | None = self._begin
        """The time to which it has to go yet; None: it is there."""
        self._went = 0.0
        """When it went there, by `clock`."""
        self._round = 0
        """How often it went to another place."""
        self._done = 0
        """The number of the last command."""
        self._unasked = 0
        """Bytes of events since the last question."""
        self._newest = tape.begins
        """The time of the last event that was told."""
        self._has_told = self._ended = False

    def run(self) -> None:
        """Play until an exception comes from outside."""
        at = self._tape.begins
        while True:
            self._connection = self._connected()
            try:
                self._pace.jump(at)
                self._converse()
            except LostError as error:
                at = self._pace.now
                self._say(f"lost the gateway: {error}")
            finally:
                self._connection.close()

    def _connected(self) -> Connection:
        began, told = self._clock(), False
        while True:
            try:
                return self._connect(self._address)
            except LostError as error:
                if not told:
                    self._say(f"no gateway yet: {error}")
                    told = True
            # The first tries come early, to miss little; the longer it takes, the rarer they get.
            pause = min(max(FIRST_TRY, (self._clock() - began) / 4), LAST_TRY)
            time.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311

    def _converse(self) -> None:
        self._done = 0  # another gateway counts anew
        self._commands.clear()
        if self._wanted is not None:  # it has not begun, or was on its way
            self._go(self._wanted)
        else:
            self._ask()
        while True:
            while self._commands:
                self._obey(self._commands.popleft())
            self._play()
            self._listen(self._rest())
            if not self._connection.unanswered:
                self._ask()

    def _listen(self, seconds: float) -> None:
        self._commands.extend(filter(None, self._connection.wait(seconds)))

    def _obey(self, command: dict[str, Any]) -> None:
        self._done = command["number"]
        speed, place = command.get("speed"), command.get("to")
        self._pace.change(
            speed=None if speed is None else read_speed(speed), paused=command.get("paused")
        )
        if place is None:
            self._ask()
        else:
            self._go(Place.read(place).after(self._tape.begins))

    def _go(self, t: float) -> None:
        """Go to the time `t`, and tell what holds from before it."""
        self._wanted = t
        lasting: list[Entry] = []
        for lasting in self._tape.seek(t):  # noqa: B007  # the last one counts
            self._listen(0)
        self._wanted = None
        self._went = self._clock()
        self._pace.jump(max(t, self._tape.begins))
        self._newest = self._pace.now
        self._round += 1
        self._has_told = self._ended = False
        self._ask()  # before the events, so that the gateway knows that they are of another round
        for entry in lasting:
            self._tell(entry)

    def _play(self) -> None:
        """Tell the events that are due, as far as they are taken."""
        connection = self._connection
        while connection.unanswered < OPEN and connection.waiting < FULL:
            next_time = self._tape.next_time
            if next_time is None:
                if not self._settings.loop or not self._has_told:
                    self._end()
                    return
                if self._clock() - self._went < LONGEST:
                    return  # it is short: whoever listens need not begin anew all the time
                self._say("it begins again")
                self._go(self._begin)
                continue
            room = EVERY - self._unasked
            for entry in self._tape.take(self._pace.until(next_time), room):
                self._tell(entry)
                self._newest = entry.t
                self._has_told = True
            self._pace.told(self._newest)
            if self._unasked >= EVERY:
                self._ask()
            elif self._tape.next_time is not None:
                return

    def _tell(self, entry: Entry) -> None:
        payload = entry.payload
        if self._settings.moved:
            payload = shifted(payload, self._pace.wall_of(entry.t) - entry.t)
        self._connection.send(payload, entry.attachments)
        self._unasked += len(payload) + OVERHEAD

    def _end(self) -> None:
        """The last event was told."""
        if not self._ended:
            self._ended = True
            self._say("that was the last event")
            self._ask()

    def _rest(self) -> float:
        """Seconds until there is something to do, if nothing comes from outside."""
        next_time, connection = self._tape.next_time, self._connection
        if next_time is None or connection.unanswered >= OPEN or connection.waiting >= FULL:
            return LONGEST
        return min(LONGEST, self._pace.wait(next_time))

    def _ask(self) -> None:
        self._unasked = 0
        pace = self._pace
        self._connection.ask(
            ASK_REPLAY,
            {
                "begins": self._tape.begins,
                "time": self._newest if self._ended else pace.now,
                "speed": speed_text(pace.speed),
                "paused": pace.paused,
                "ended": self._ended,
                "pid": os.getpid(),
                "round": self._round,
                "done": self._done,
            },
        )
