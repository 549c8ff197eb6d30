"""What a screen needs: a snapshot when it opens, and only the events it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs
import orjson

from gateway.engineio.forms import POLLING_PACKETS
from gateway.engineio.packet import Packet as EnginePacket
from gateway.engineio.record import Record
from gateway.relay.selection import EVERYTHING, FIELDS, NOTHING, SelectionError, parse
from gateway.relay.snapshot import Snapshot
from gateway.socketio.errors import ConnectionRefused
from gateway.socketio.packet import PacketType, header

if TYPE_CHECKING:
    from gateway.relay.aliases import Aliases
    from gateway.relay.event import Event
    from gateway.relay.selection import Selection
    from gateway.relay.subscription import Subscription
    from gateway.socketio.packet import Packet

SUBSCRIBE = "sjgateway:subscribe"
"""The one event name that is the gateway's, from clients whose auth had a filter."""

QUOTES = frozenset(("market_tick", "market_bidask", "market_snapshot"))
READINESS = frozenset(("shioaji_ready", "heartbeat", "contracts_loaded"))
KEYS: Final = 100
"""Keys of the snapshot that are looked through, or said, at the cost of one message."""


@attrs.frozen(kw_only=True)
class Settings:
    """What late joiners get."""

    states: bool = True
    """The newest event of each key that is no quote."""
    quotes: bool = False
    """The newest quotes too, without being asked (`auth: {snapshot: true}`)."""
    quote_names: frozenset[str] = QUOTES
    readiness_names: frozenset[str] = READINESS
    """What is no longer true once the worker is gone."""
    max_keys: int = 10_000
    max_bytes: int = 8 << 20


class Screens:
    """Snapshots and selections of one namespace."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._snapshot = Snapshot(max_keys=settings.max_keys, max_bytes=settings.max_bytes)

    @property
    def has_something(self) -> bool:
        """Whether there is anything to tell a late joiner."""
        return len(self._snapshot) > 0

    def see(self, event: Event) -> None:
        """Keep `event`, which has a key and a trusted sender, for late joiners.

        What a worker says that has ended meanwhile is kept, too: late joiners get everything
        as of their place in the log.  Only ready it is no more.
        """
        if event.current or event.name not in self._settings.readiness_names:
            self._snapshot.see(event)

    def rename(self, aliases: Aliases) -> None:
        """Contracts go by other codes now."""
        self._snapshot.rename(aliases)

    def worker_gone(self) -> None:
        """Forget that the worker was ready."""
        names = self._settings.readiness_names
        self._snapshot.forget(lambda event: event.name in names)

    def selection(self, auth: dict[str, Any]) -> Selection | None:
        """The selection that `auth` asks for; None: everything, now and always.

        Raises `ConnectionRefused`.
        """
        if not any(field in auth for field in FIELDS):
            return None
        try:
            return parse(auth)
        except SelectionError as error:
            raise ConnectionRefused(f"Invalid filter: {error}") from error

    def ask(self, subscription: Subscription, auth: dict[str, Any]) -> None:
        """Note what `auth` says about snapshots, for now and for changes of the selection."""
        asked = auth.get("snapshot")
        subscription.quotes = self._settings.quotes if asked is None else asked is True

    def greet(self, subscription: Subscription) -> None:
        """Send what a new client has missed."""
        self._show(subscription, NOTHING)

    def _show(self, subscription: Subscription, known: Selection) -> None:
        """Send the newest events that `subscription` wants and `known` did not."""
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
        subscription.show(bundles)

    def change(self, subscription: Subscription, packet: Packet) -> None:
        """Narrow or widen what `subscription` receives; answer its ack.

        The answer is `{"ok": true}`, or `{"ok": false, "error": ...}` and no change.  What
        became visible follows as at the beginning.  Who asked for trusted events at the
        beginning gets no others unless it says so.
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
