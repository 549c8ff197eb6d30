"""Keeps the snapshot of a namespace in Redis, for gateways that start later.

The log forgets old events, and with them what a gateway that starts would need to know all values.
So from time to time the gateway whose batch was just read writes its snapshot as of this place,
and has the log forget what no gateway holds any more.  All gateways count alike since the last
one (the entry `c`), so it is one of them, and another one when that one is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.cluster import scripts
from gateway.cluster.record import Checkpoint, Note, pack_checkpoint
from gateway.cluster.resp import LostError, RedisError
from gateway.common.attempt import Attempts
from gateway.relay.pids import unsigned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.cluster.places import Places
    from gateway.cluster.site import Keys, Site
    from gateway.relay.event import Event
    from gateway.relay.hub import Hub

SHARE: Final = 4
"""After a quarter of what the log may hold the next one is written."""


class Snapshots:
    """Those of `hub`; `keys` are the log, its meta, and where the snapshot is."""

    def __init__(self, site: Site, hub: Hub, places: Places, keys: Keys) -> None:
        self._site = site
        self._hub = hub
        self.places = places
        self._keys = keys
        self._events = self._bytes = 0
        self._is_writing = False
        self._attempt = Attempts()

    def count(self, events: Sequence[Event]) -> None:
        """Note that `events` came into the log."""
        self._events += len(events)
        self._bytes += sum([event.size for event in events])

    def written(self) -> None:
        """A gateway has written one."""
        self._events = self._bytes = 0

    def consider(self, epoch: int, lead: int) -> None:
        """Write one if it is time for that; a batch of this gateway was just read."""
        site = self._site
        if self._events > site.records // SHARE or self._bytes > site.history // SHARE:
            self._attempt("Writing the snapshot of the log", self.write, epoch, lead)

    def write(self, epoch: int, lead: int) -> None:
        """Write one now; `lead` is the token that counts."""
        if self._is_writing or not epoch:
            return
        places, hub = self.places, self._hub
        values = [event for event in hub.continuity.snapshot() if event.key is not None]
        notes = [Note(unsigned(pid), value) for pid, value in hub.continuity.changed_clients()]
        checkpoint = Checkpoint(*places.read, lead, values, notes)
        data = pack_checkpoint(checkpoint, lambda event: places.number(event.position))
        kept = "{}-{}".format(*places.place(hub.log.surplus()))
        self._is_writing = True
        self._site.talk.run_script(
            scripts.CHECKPOINT, self._keys, (epoch, data, kept), self._answered
        )

    def _answered(self, reply: Any) -> None:
        self._is_writing = False
        if reply == 1:  # its entry may not be read yet, behind a batch of this gateway
            self.written()
        elif isinstance(reply, RedisError) and not isinstance(reply, LostError):
            self._site.talk.refuse(f"the log refuses a snapshot: {reply}")

    def restore(self, checkpoint: Checkpoint) -> None:
        """Know what `checkpoint` says, while the log is read."""
        shift = self.places.read.number - self._hub.log.head
        for event in checkpoint.values:
            event.position -= shift
        self._hub.continuity.know(checkpoint.values)
