"""The snapshot for clients that connect later, and changes of their filters.

The snapshot has the newest event of each key (`Keys`) that a trusted sender sent, within bounds.
A client gets nothing of it when it is the worker itself, or when it came back and gets what it
missed (`recovery.py`).  It does not get quotes unless its `auth` or --snapshot-quotes asks for
them, states where --no-snapshot-states is set, what its filter leaves out, and after the worker
has ended the events of readiness.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs
import orjson

from gateway.engineio.forms import POLLING_PACKETS
from gateway.engineio.packet import Packet as EnginePacket
from gateway.engineio.packet import Record
from gateway.relay.aliases import NONE
from gateway.relay.journal import Mark
from gateway.relay.selection import EVERYTHING, FIELDS, NOTHING, SelectionError, parse
from gateway.relay.snapshot import Snapshot
from gateway.socketio.errors import ConnectionRefused
from gateway.socketio.packet import PacketType, header

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from gateway.relay.aliases import Aliases
    from gateway.relay.event import Event
    from gateway.relay.selection import Selection
    from gateway.relay.subscription import Subscription
    from gateway.socketio.packet import Packet

SUBSCRIBE = "sjgateway:subscribe"
"""The event by which a client whose `auth` had a filter changes it."""

KEYS: Final = 100
"""Keys of the snapshot that are searched, or sent, at the cost of one message."""


@attrs.frozen(kw_only=True)
class SnapshotSettings:
    """What clients that connect later get."""

    states: bool = True
    """Send the newest event of each key that is no quote."""
    quotes: bool = False
    """Send the newest quotes, too, also without `auth: {snapshot: true}`."""
    quote_names: frozenset[str] = NONE
    """Names of the events that are quotes."""
    readiness_names: frozenset[str] = NONE
    """Names of the events that are no longer true when the worker is gone."""
    max_keys: int = 10_000
    max_bytes: int = 8 << 20


class LateJoiners:
    """Snapshots and selections of one namespace."""

    def __init__(self, settings: SnapshotSettings) -> None:
        self._settings = settings
        self._snapshot = Snapshot(max_keys=settings.max_keys, max_bytes=settings.max_bytes)
        self._former: dict[Hashable, Event] = {}
        """Events of readiness from a process before this one."""

    def see(self, event: Event) -> None:
        """Keep `event`, which has a key and a trusted sender.

        Events of a worker that has ended are kept, too, except those of readiness: late joiners
        get the state as it was at their place in the log.
        """
        if event.current or event.name not in self._settings.readiness_names:
            self._snapshot.see(event)

    def rename(self, aliases: Aliases) -> None:
        """Other codes name the same things now."""
        self._snapshot.rename(aliases)

    def mark(self, mark: Mark) -> None:
        """Forget the events of readiness, or the quotes; or have the former readiness back."""
        settings = self._settings
        if mark is Mark.QUOTES_GONE:
            self._snapshot.forget(lambda event: event.name in settings.quote_names)
        elif mark is Mark.WORKER_GONE:
            self._former.clear()
            self._snapshot.forget(lambda event: event.name in settings.readiness_names)
        else:
            self._worker_returned()

    def forget_all(self) -> None:
        """Keep nothing."""
        self._former.clear()
        self._snapshot.forget(bool)

    def recall(self, events: Sequence[Event]) -> None:
        """Keep those of `events` that count."""
        for event in events:
            if event.trusted and event.key is not None:
                self.see(event)

    def restore(self, events: Sequence[Event], *, supervised: bool) -> None:
        """Keep what a process before this one kept of `events`.

        `supervised`: events of readiness are shown only when the worker is back.
        """
        readiness = self._settings.readiness_names
        newest: dict[Hashable, Event] = {}
        for event in reversed(events):
            counts = event.trusted and (event.current or event.name not in readiness)
            if counts and event.key is not None:
                newest.setdefault(event.key, event)
        for key, event in reversed(newest.items()):
            if supervised and event.name in readiness:
                self._former[key] = event
            else:
                self.see(event)

    def _worker_returned(self) -> None:
        """The worker of the process before this one goes on, as ready as it was."""
        former, self._former = self._former, {}
        known = {event.key for event in self.values()}
        for event in former.values():
            if event.key not in known:
                self.see(event)

    def values(self) -> list[Event]:
        """The events that are kept, the oldest first."""
        return self._snapshot.values()

    def selection(self, auth: dict[str, Any]) -> Selection | None:
        """The selection that `auth` asks for; None: everything, now and always.

        Raises `ConnectionRefused`.
        """
        if FIELDS.isdisjoint(auth):
            return None
        try:
            return parse(auth)
        except SelectionError as error:
            raise ConnectionRefused(f"Invalid filter: {error}") from error

    def ask(self, subscription: Subscription, auth: dict[str, Any]) -> None:
        """Note what `auth` says about quotes, for now and for later changes of the filter."""
        asked = auth.get("snapshot")
        subscription.quotes = self._settings.quotes if asked is None else asked is True

    def greet(self, subscription: Subscription) -> None:
        """Send the snapshot to a new client."""
        self._show(subscription, NOTHING)

    def _show(self, subscription: Subscription, known: Selection) -> None:
        """Send the newest events that `subscription` wants and the filter `known` did not."""
        settings, selection = self._settings, subscription.selection or EVERYTHING
        quotes = subscription.quotes
        if selection.events is not None:  # what is not there makes no difference
            there = frozenset(selection.events & self._snapshot.names)
            selection = attrs.evolve(selection, events=there)

        def wanted(event: Event) -> bool:
            shown = quotes if event.name in settings.quote_names else settings.states
            return shown and selection.wants(event) and not known.wants(event)

        bundles = self._snapshot.bundles((selection, quotes, known), wanted, selection)
        looked = len(self._snapshot) if selection.codes is None else len(bundles) * POLLING_PACKETS
        subscription.socket.session.meter.charge(looked / KEYS)
        if bundles:
            subscription.show(bundles)

    def change(self, subscription: Subscription, packet: Packet) -> None:
        """Change the filter of `subscription` as `packet` says; answer its ack.

        The answer is `{"ok": true}`, or `{"ok": false, "error": ...}` and nothing changes.  Then
        the snapshot of what the old filter left out is sent.  `trusted` stays as it was unless
        the packet has it.
        """
        known = subscription.selection or EVERYTHING
        arguments = packet.brief[1:]
        wish = arguments[0] if len(arguments) == 1 else None
        answer: dict[str, Any] = {"ok": True}
        try:
            if not isinstance(wish, dict):
                raise SelectionError("send one object with 'events' and 'codes'")
            subscription.select(parse(wish, trusted=known.trusted))
        except SelectionError as error:
            answer = {"ok": False, "error": str(error)}
        if packet.id is not None:
            text = header(PacketType.ACK, packet.namespace, packet.id) + orjson.dumps([answer])
            subscription.send(Record(EnginePacket(text)))
        if answer["ok"]:
            self._show(subscription, known)
