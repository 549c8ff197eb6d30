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
from gateway.relay.selection import EVERYTHING, FIELDS, NOTHING, SelectionError, parse
from gateway.socketio.errors import ConnectionRefused
from gateway.socketio.packet import PacketType, header

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence
    from collections.abc import Set as AbstractSet

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

    def worker_gone(self) -> None:
        """Forget the events of readiness."""
        self._former.clear()
        names = self._settings.readiness_names
        self._snapshot.forget(lambda event: event.name in names)

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

    def worker_returned(self) -> None:
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


# -- The newest event of each key.

BUNDLES = 32
"""Different requests for which bundles are kept: a client may make any number."""


class Snapshot:
    """Events by key, in the order in which they were last seen.

    Bounded in keys and bytes: the event that was not seen for the longest time is dropped
    first.  The payloads are the original bytes.
    """

    def __init__(self, *, max_keys: int, max_bytes: int) -> None:
        self._max_keys = max_keys
        self._max_bytes = max_bytes
        self._newest: dict[Hashable, Event] = {}
        self._by_name: dict[str | float, dict[Hashable, None]] = {}
        self._by_code: dict[str | None, dict[Hashable, None]] = {}
        self._bytes = 0
        self._bundles: dict[Hashable, list[Record]] = {}
        self._aliases: Aliases | None = None
        self._renamed = False

    def __len__(self) -> int:
        return len(self._newest)

    @property
    def bytes(self) -> int:
        """Payload bytes that are kept."""
        return self._bytes

    def see(self, event: Event) -> None:
        """Keep `event`, which has a key, in place of the one before it."""
        self._bundles.clear()
        before = self._newest.pop(event.key, None)
        self._newest[event.key] = event
        if before is None or before.code != event.code:
            self._forget_place(before)
            self._by_name.setdefault(event.name, {})[event.key] = None
            self._by_code.setdefault(event.code, {})[event.key] = None
        self._bytes += event.size - (before.size if before is not None else 0)
        while len(self._newest) > self._max_keys or self._bytes > self._max_bytes:
            self._drop(next(iter(self._newest)))

    def rename(self, aliases: Aliases) -> None:
        """Use the codes that `aliases` has now, also for the events that are kept."""
        self._bundles.clear()
        self._aliases, self._renamed = aliases, True  # renames may come often, so look later

    def forget(self, unwanted: Callable[[Event], bool]) -> None:
        """Drop the events that are `unwanted`."""
        self._bundles.clear()
        for key in [key for key, event in self._newest.items() if unwanted(event)]:
            self._drop(key)

    def values(self) -> list[Event]:
        """The events that are kept, the one not seen for the longest time first."""
        return list(self._newest.values())

    @property
    def names(self) -> AbstractSet[str | float]:
        """The names of the events that are kept."""
        return self._by_name.keys()

    def bundles(
        self, key: Hashable, wanted: Callable[[Event], bool], selection: Selection = EVERYTHING
    ) -> list[Record]:
        """The events that are `wanted`, the last seen at the end, up to 16 in a record.

        Calls with an equal `key` get the same records until something changes.  Only what
        `selection` may want is searched, so that a change of a filter costs little.
        """
        bundles = self._bundles.get(key)
        if bundles is None:
            if len(self._bundles) == BUNDLES:
                self._bundles.clear()
            self._rename()
            events = self._candidates(selection)
            packets = [event.packets[0] for event in events if wanted(event)]
            bundles = self._bundles[key] = [
                Record(*packets[at : at + POLLING_PACKETS])
                for at in range(0, len(packets), POLLING_PACKETS)
            ]
        return bundles

    def _candidates(self, selection: Selection) -> Iterable[Event]:
        """The events of the names or the codes that `selection` has, in order."""
        places: Iterable[Iterable[Hashable]]
        if selection.codes is not None:
            aliases = self._aliases
            codes: set[str | None] = {None, *selection.codes}
            if aliases is not None:
                codes.update(*[aliases.of(code) for code in selection.codes])
            places = [self._by_code.get(code, ()) for code in codes]
        elif selection.events is not None:
            places = [self._by_name.get(name, ()) for name in selection.events]
        else:
            return self._newest.values()
        events = [self._newest[key] for keys in places for key in keys]
        return sorted(events, key=lambda event: event.position)

    def _rename(self) -> None:
        if self._renamed and self._aliases is not None:
            for event in self._newest.values():
                event.aliases = self._aliases.of(event.code)
        self._renamed = False

    def _drop(self, key: Hashable) -> None:
        event = self._newest.pop(key)
        self._bytes -= event.size
        self._forget_place(event)

    def _forget_place(self, event: Event | None) -> None:
        if event is None:
            return
        _remove(self._by_name, event.name, event.key)
        _remove(self._by_code, event.code, event.key)


def _remove(index: dict[Any, dict[Hashable, None]], value: object, key: Hashable) -> None:
    keys = index[value]
    del keys[key]
    if not keys:
        del index[value]
