"""Stands between the worker of a replay and those who watch it: tells how it is, passes wishes on.

The worker asks `sjgateway:replay` over and over; each question tells how the replay is, and each
answer what is to change:

    POST /replay -> ReplayControl.command -> the answer to a question that waits
                    the route's answer    <- the next question, which says that it is done

A question waits until there is a command, or for `HELD` seconds.  When another one comes, those
before it are answered: so the worker knows that its events up to there were taken.  With the speed
`max` they wait, too, for clients that are behind, as long as these go on reading: the clients set
the pace, and none of them misses anything.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

import attrs
import msgspec
import orjson
from twisted.internet.defer import Deferred

from gateway.app.replayed_worker import ReplayedWorker
from gateway.common.times import iso
from gateway.contract import WorkerError
from gateway.market.events import ASK_REPLAY
from gateway.replay.wishes import MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gateway.app.worker_events import WorkerEvents
    from gateway.engineio.deadlines import Deadline, Deadlines
    from gateway.history.bar_service import BarService
    from gateway.options import Settings
    from gateway.relay.subscription import Subscription
    from gateway.replay.wishes import Wish

HELD: Final = 1.0
"""Seconds for which a question waits for a command."""
LOOK: Final = 0.01
"""Seconds between two looks at clients that are behind."""
BEHIND: Final = 1 << 18
"""Bytes that a client may be behind with the speed `max`."""
STALLED: Final = 8.0
"""Seconds after which a client that reads nothing is waited for no longer."""
PATIENCE: Final = 30.0
"""Seconds in which a command must be done: to go elsewhere reads the recording up to there."""
MOST: Final = 20
"""Commands that wait."""
_NOTHING: Final = b"{}"


class Told(msgspec.Struct, frozen=True):
    """How the replay is, as its worker tells it."""

    begins: float
    """When the first event of the recording came, in seconds since 1970."""
    time: float
    """Which time of the recording it is."""
    speed: int | float | str
    paused: bool
    ended: bool
    pid: int
    round: int
    """Counts the places to which this process went: from one to the next times may go back."""
    done: int
    """The number of the last command that was done."""


@attrs.define(eq=False)
class Question:
    """One that waits since `since`, by the monotonic clock."""

    answer: Callable[[bytes], object]
    since: float


@attrs.define(eq=False)
class Command:
    """What a person asked for; `outcome` fires when it is done."""

    number: int
    wish: Wish
    outcome: Deferred[dict[str, Any]] = attrs.field(factory=Deferred)
    is_sent: bool = False


class ReplayControl:
    """`facts` never change, and are told beside the rest.

    `is_worker(client)` tells the worker of the replay, `runs()` whether it runs; `lives(client)` is
    told that it lives, and `went()` that what comes from now on is of another place.  `apart()` are
    the clients that have not read all there is.
    """

    def __init__(
        self,
        deadlines: Deadlines,
        facts: Mapping[str, Any],
        *,
        is_worker: Callable[[Subscription], bool],
        runs: Callable[[], bool],
        lives: Callable[[Subscription], object],
        went: Callable[[], object],
        apart: Callable[[], Iterable[Subscription]],
    ) -> None:
        self._deadlines = deadlines
        self._facts = facts
        self._is_worker = is_worker
        self._runs = runs
        self._lives = lives
        self._went = went
        self._apart = apart
        self._told: Told | None = None
        self._rounds = 0
        self._waiting: list[Question] = []
        self._commands: deque[Command] = deque()
        self._number = 0
        self._look_at: Deadline | None = None
        self._seen: dict[Subscription, tuple[object, float]] = {}
        """Of the clients that have not read all: how far they were, and since when."""

    def status(self) -> dict[str, Any]:
        """How the replay is; `time` is of the recording, None before the worker spoke."""
        told = self._told
        return {
            **self._facts,
            "begins": told and iso(told.begins),
            "time": told and iso(told.time),
            "speed": told and told.speed,
            "paused": told is not None and told.paused,
            "ended": told is not None and told.ended,
            "round": self._rounds,
        }

    # -- the worker's side -------------------------------------------------------------------

    def ask(
        self, question: dict[str, Any], client: Subscription, answer: Callable[[bytes], object]
    ) -> Callable[[], object]:
        """The relay's `Service`: the worker tells how it is, and wants to know what to change."""
        if not self._is_worker(client):
            answer(orjson.dumps({"error": "only the worker of --replay may ask this"}))
            return _nothing
        try:
            told = msgspec.convert(question, Told)
        except msgspec.ValidationError as error:
            answer(orjson.dumps({"error": str(error)}))
            return _nothing
        before, self._told = self._told, told
        self._lives(client)
        if before is None or (before.pid, before.round) != (told.pid, told.round):
            self._rounds += 1
            self._went()
        waiting = Question(answer, self._deadlines.clock())
        self._waiting.append(waiting)
        if self._commands and self._commands[0].is_sent and self._commands[0].number == told.done:
            self._commands.popleft().outcome.callback({"replaying": self.status()})
        self._send()
        self._look()
        return lambda: self._gone(waiting)

    def _gone(self, question: Question) -> None:
        """The worker has left: another one may have to do what this one was told."""
        if question in self._waiting:
            self._waiting.remove(question)
        for command in self._commands:
            command.is_sent = False

    def _send(self) -> None:
        """Tell the next command, if one is to be told and somebody waits for it."""
        if not self._commands or self._commands[0].is_sent or not self._waiting:
            return
        command = self._commands[0]
        command.is_sent = True
        wish = {**msgspec.to_builtins(command.wish), "number": command.number}
        self._waiting.pop(0).answer(orjson.dumps(wish))

    def _look(self) -> None:
        """Answer the questions that have waited long enough."""
        if self._look_at is not None:
            self._look_at.cancel()
            self._look_at = None
        if not self._waiting:
            return
        now = self._deadlines.clock()
        if self._told is not None and self._told.speed == MAX and self._is_one_behind(now):
            self._look_at = self._deadlines.call_later(LOOK, self._look)
            return
        newest = self._waiting[-1]
        while self._waiting and (self._waiting[0] is not newest or now - newest.since >= HELD):
            self._waiting.pop(0).answer(_NOTHING)
        if self._waiting:
            self._look_at = self._deadlines.call_later(newest.since + HELD - now, self._look)

    def _is_one_behind(self, now: float) -> bool:
        """Whether a client that reads has not read for long."""
        before, self._seen = self._seen, {}
        for client in self._apart():
            progress, was = client.outbox.progress, before.get(client)
            self._seen[client] = was if was and was[0] == progress else (progress, now)
        return any(
            client.lag > BEHIND and now - since < STALLED
            for client, (_, since) in self._seen.items()
        )

    # -- people's side -----------------------------------------------------------------------

    def command(self, wish: Wish) -> Deferred[dict[str, Any]]:
        """Have the worker do `wish`; fires with how the replay is then.

        Raises WorkerError, or fails with it.
        """
        if not self._runs():
            why = "its worker does not run; GET /status says why, POST /start-python starts it"
            raise WorkerError("The replay did not do it", why)
        if len(self._commands) >= MOST:
            raise WorkerError("The replay is busy", f"{MOST} wishes wait; ask again later")
        self._number += 1
        command = Command(self._number, wish)
        self._commands.append(command)
        late = self._deadlines.call_later(PATIENCE, lambda: self._give_up(command))
        command.outcome.addBoth(_passed_on, late)
        self._send()
        return command.outcome

    def _give_up(self, command: Command) -> None:
        if command in self._commands:
            self._commands.remove(command)
            why = "its worker did not answer; GET /status and GET /logs say how it is"
            command.outcome.errback(WorkerError("The replay did not do it", why))
            self._send()


def _passed_on(outcome: Any, late: Deadline) -> Any:
    late.cancel()
    return outcome


def _nothing() -> None:
    pass


def make_replay(
    settings: Settings,
    events: WorkerEvents,
    deadlines: Deadlines,
    bars: BarService | None,
) -> ReplayControl | None:
    """Make the worker of `events` that of a replay; None: there is none to be played."""
    relay, supervisor = events.relay, events.worker
    if not settings.replay or supervisor is None:
        return None
    worker = ReplayedWorker(supervisor, relay.publish)
    events.worker = worker
    events.listeners.append(worker.published)

    def went() -> None:
        relay.quotes_gone()
        if bars is not None:
            bars.begin_anew()

    facts = {
        "files": [file.name for file in settings.replay],
        "loop": settings.loop,
        "times": settings.times,
    }
    made = ReplayControl(
        deadlines,
        facts,
        is_worker=events.is_worker,
        runs=lambda: supervisor.running,
        lives=worker.lives,
        went=went,
        apart=lambda: (client for hub in relay.hubs.values() for client in hub.log.apart),
    )
    for hub in relay.hubs.values():
        hub.services.by_name[ASK_REPLAY] = made.ask
    return made
