"""A relay whose memories are in bytes of this process, and another relay that reads them."""

from functools import partial
from typing import Any

from gateway.relay.memory import Memory
from gateway.relay.remembered import Remembered, Room, remember
from gateway.relay.ring import PAGE, Ring
from tests.relay.world import WALL, RelayWorld, WebSocketClient

HISTORY = 1 << 16
BOOT, FILE = "boot", 7


class Rings:
    """A `Place` in memory; `full`: no ring can be made."""

    def __init__(self) -> None:
        self.published: dict[str, bytearray] = {}
        self.full = False
        self.made = 0
        self._draft = bytearray()

    def make(self, namespace, size):
        if self.full:
            raise OSError(28, "No space left on device")
        self.made += 1
        self._draft = bytearray(PAGE + 2 * size)
        return Ring(self._draft, size), BOOT, FILE

    def publish(self, namespace):
        self.published[namespace] = self._draft


class RememberingWorld(RelayWorld):
    """A relay whose namespaces remember in `rings`; `before`: the one that it goes on for."""

    def __init__(
        self,
        rings: Rings | None = None,
        *,
        history: int = HISTORY,
        before: "RememberingWorld | None" = None,
        supervised: bool = False,
        goes_on: bool = True,
        **settings: Any,
    ) -> None:
        settings.setdefault("log_bytes", history)
        super().__init__(pid_key=partial(bytes, b"k" * 32), **settings)
        for hub in self.relay.hubs.values():
            hub._journal.resume(hub.log.epoch if goes_on else "another")
        self.rings = rings or Rings()
        bodies: dict[str, list[bytes]] = {}
        if before is not None:
            for name, hub in self.relay.hubs.items():
                known = before.remembered(name, keys=hub_keys(settings, self))
                hub.continuity.restore(known, goes_on=goes_on, supervised=supervised)
                bodies[name] = known.past.bodies if goes_on else []
        self.memories: dict[str, Memory] = {}
        for name, hub in self.relay.hubs.items():
            memory = Memory(name, hub.log, hub.continuity, self.rings, history)
            memory.open(bodies.get(name, []))
            hub.continuity.memory = self.memories[name] = memory
            hub.log.taps.append(memory.collect)
        self.memory = self.memories["/"]

    def remembered(self, name: str = "/", **changes: Any) -> Remembered:
        """What the next process knows if this one is killed now."""
        given: dict[str, Any] = {
            "namespace": name,
            "boot": BOOT,
            "file": FILE,
            "keys": hub_keys({}, self),
            "marks": ("demo",),
            "room": Room(self.log.max_bytes, self.log._max_records),
            "now": WALL + self.now,
        }
        return remember(bytes(self.rings.published[name]), **given | changes)

    def back(self, client: WebSocketClient, offset: str | None = None, **auth: Any):
        """`client`, of any world, comes back to this one."""
        given = {"recover": True, "pid": client.reply["pid"]} | auth
        if offset is not None:
            given["offset"] = offset
        back = WebSocketClient(self)
        self.flush()
        assert len(back.heard) == 1, "the opening packet"
        return back.join(**given)


def hub_keys(settings: dict[str, Any], world: RelayWorld) -> Any:
    """The keys of `settings`, or those of `world`."""
    return settings.get("keys") or world.hub._subject_of.__self__
