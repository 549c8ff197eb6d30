"""What outlives the gateway's process: reads it at the start, and has it written from then on.

Beside the namespaces these are the freshness of the feeds and the last exits of the worker; they
are notes in the memory of the first namespace.  After a kill everything is there.  After a power
cut, or where the files are damaged or of another version, the logs begin anew: each client
that comes back is then a new one, and is told so.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

import attrs
import orjson
from twisted.application.service import Service
from twisted.logger import Logger

from gateway.common.attempt import Attempts
from gateway.relay.memory import Memory
from gateway.relay.remembered import Remembered, Room, remember
from gateway.relay.ring import UnusableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gateway.app.memory_files import MemoryFiles
    from gateway.relay.hub import Hub
    from gateway.relay.relay import Relay
    from gateway.relay.settings import RelaySettings

LOOK_EVERY: Final = 5.0
"""Seconds between two looks at the files."""

_log = Logger(namespace="gateway")


class Kept(Protocol):
    """Something that is known beyond the process, besides events: it is one JSON value."""

    def state(self) -> Any:
        """What it knows."""
        ...

    def restore(self, state: Any, known: Remembered) -> None:
        """Know what a process before this one knew; may raise whatever a strange value causes."""
        ...


@attrs.define
class MemoryStatus:
    """How it stands with what outlives the process."""

    kept: bool = False
    """Whether anything is written now."""
    continued: bool = False
    """Whether the logs go on as those of the process before."""
    events: int = 0
    """Events of the process before that clients may still get."""
    reason: str = ""
    """Why nothing is written, or the logs began anew."""


class RelayMemory(Service):
    """The memories of all namespaces of `relay`, as a service.

    An event with one of the fields `marks` that is true may not outlive the process.
    `supervised`: whether the gateway has the worker, which may be gone since.  `wall` is the
    wall clock.
    """

    name = "the memory"

    def __init__(
        self,
        files: MemoryFiles,
        relay: Relay,
        settings: RelaySettings,
        *,
        marks: Sequence[str],
        supervised: bool,
        wall: Callable[[], float],
    ) -> None:
        self._files = files
        self._hubs = relay.hubs
        self._settings = settings
        self._marks = marks
        self._supervised = supervised
        self._wall = wall
        self.kept: dict[str, Kept] = {}
        """By their names."""
        self.on_restored: Callable[[], object] = bool
        """Called when anything of a process before this one is known."""
        self.status = MemoryStatus()
        self._memories: dict[str, Memory] = {}
        self._attempt = Attempts()
        self._is_told = False

    def startService(self) -> None:
        super().startService()
        for name, hub in self._hubs.items():
            memory = Memory(name, hub.log, hub.continuity, self._files, self._settings.log_bytes)
            memory.sign(self._now())
            self._memories[name] = memory
        is_ours = self._may_use()
        found: dict[str, list[bytes]] = {}
        if is_ours:
            with _no_collection():
                for name, hub in self._hubs.items():
                    found[name] = self._restore(name, hub)
        first = next(iter(self._hubs.values()))
        first.continuity.more.append(self._notes)
        for name, hub in self._hubs.items():
            hub.log.taps.append(self._memories[name].collect)
            hub.continuity.memory = self._memories[name]
            if is_ours:
                self._replace(name, hub, found[name])
        self.look()

    def stopService(self) -> None:
        super().stopService()
        for memory in self._memories.values():
            memory.sign(self._now())
            memory.close()
        self._attempt("Syncing the memory", self._files.sync)
        self._files.close()

    def look(self) -> None:
        """Note that the gateway lives; make what is missing, as far as that is possible now."""
        if not self.running or not self._may_use():
            return
        for name, memory in self._memories.items():
            memory.sign(self._now())
            if memory.is_open and not self._files.is_there(name):
                _log.warn("The memory of {name} was removed: it is made anew", name=name)
                memory.lose()
            if not memory.is_open:
                try:
                    memory.open()
                except OSError as error:
                    self._cannot(error.strerror or str(error))
                    return
        self.status.kept, self._is_told = True, False

    def _replace(self, name: str, hub: Hub, events: list[bytes]) -> None:
        """Have a file in the place of the one that was read.

        That one must not be there any more when events are sent that it does not know: the next
        process would give their positions to others.  Without room for both it goes first.
        """
        try:
            try:
                self._memories[name].open(events)
            except OSError:
                self._files.discard(name)
                self._memories[name].open(events)
        except OSError:  # `look` says so, and tries again
            try:
                self._files.discard(name)
            except OSError:
                hub.continuity.begin_anew()

    def note(self, name: str) -> None:
        """Keep what `kept[name]` knows now, since it has changed."""
        memory = next(iter(self._memories.values()), None)
        if memory is not None:
            memory.note(name, orjson.dumps(self.kept[name].state()))

    def _notes(self) -> Mapping[str, bytes]:
        return {name: orjson.dumps(each.state()) for name, each in self.kept.items()}

    def _may_use(self) -> bool:
        try:
            free = self._files.lock()
        except OSError as error:
            self._cannot(error.strerror or str(error))
            return False
        if not free:
            self._cannot("another gateway of this port uses it")
        return free

    def _cannot(self, why: str) -> None:
        """Say once that nothing is kept."""
        self.status.kept, self.status.reason = False, why
        if not self._is_told:
            self._is_told = True
            _log.warn(
                "What clients missed is lost when the gateway is restarted, since no memory can be"
                " kept in the state folder: {why}",
                why=why,
            )

    def _restore(self, name: str, hub: Hub) -> list[bytes]:
        """Know what the process before this one knew of one namespace.

        Returns the blocks of the events with which the log goes on.
        """
        try:
            data, number = self._files.read(name)
            known = remember(
                data,
                namespace=name,
                boot=self._files.boot,
                file=number,
                keys=self._settings.keys,
                marks=self._marks,
                room=Room(self._settings.log_bytes, self._settings.log_records),
                now=self._wall(),
            )
        except FileNotFoundError:
            return []
        except (OSError, UnusableError) as error:
            self.status.reason = str(error)
            _log.warn(
                "The log of {name} begins anew: its memory can't be used ({why})",
                name=name,
                why=error,
            )
            return []
        away = self._wall() - known.alive
        goes_on = away < self._settings.recovery_time
        clients = hub.continuity.restore(known, goes_on=goes_on, supervised=self._supervised)
        self.on_restored()
        if goes_on:
            self.status.continued = True
            self.status.events += len(known.past)
            _log.info(
                "The log of {name} goes on after {away:.1f} s: {events} events, {clients} clients"
                " that may come back",
                name=name,
                away=max(away, 0),
                events=len(known.past),
                clients=clients,
            )
        for what, each in self.kept.items():
            if what in known.notes:
                self._attempt(f"Reading the memory of {what}", self._remind, each, what, known)
        return known.past.bodies if goes_on else []

    def _remind(self, each: Kept, what: str, known: Remembered) -> None:
        each.restore(orjson.loads(known.notes[what]), known)

    def _now(self) -> int:
        return int(self._wall() * 1000)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Have nothing looked for that refers to itself, while so much is made that does not."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
