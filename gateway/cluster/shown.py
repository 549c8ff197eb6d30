"""How the worker of the cluster is, and what it printed: told by who has it, seen by all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateway.cluster.resp import RedisError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.cluster.link import Link
    from gateway.cluster.scripts import Names
    from gateway.cluster.seal import Seal
    from gateway.contract import Control

PATIENCE: Final = 5.0
"""Seconds without a word after which nobody knows how the worker is."""
MOST_LINES: Final = 1000
"""Printed lines that are told."""


class Worker(msgspec.Struct, frozen=True):
    """How the worker is: the answers of `Control`."""

    gateway: str = ""
    """Who has it."""
    beat: int = 0
    """Another one with each word, so that one that has ended is known."""
    running: bool = False
    ready: bool = False
    readiness: dict[str, Any] = {}
    health: dict[str, Any] = {}
    status: dict[str, Any] = {}
    position: int = 0
    """The number of the next line that it prints."""


class Printed(msgspec.Struct, frozen=True):
    """What it printed."""

    position: int = 0
    lines: list[str] = []


class Shown:
    """Tells how `own` is while `leads()`, and sees it otherwise; `look` is called once a second.

    `clock` is in seconds; `why()` says why nobody has the worker.
    """

    def __init__(
        self,
        link: Link,
        names: Names,
        seal: Seal,
        own: Control,
        *,
        gateway: str,
        leads: Callable[[], bool],
        why: Callable[[], str],
        clock: Callable[[], float],
    ) -> None:
        self._link = link
        self._names = names
        self._seal = seal
        self._own = own
        self._gateway = gateway
        self._leads = leads
        self._why = why
        self._clock = clock
        self._beat = 0
        self._worker = Worker()
        """What was seen last."""
        self._heard_at = -PATIENCE
        self.printed = Printed()

    @property
    def worker(self) -> Worker:
        """How the worker is, as another gateway told lately; `Worker.gateway` is "" for nobody."""
        if self._clock() - self._heard_at < PATIENCE:
            return self._worker
        unknown = {"state": "unknown"}
        why = f"nobody tells how the worker is: {self._why()}"
        return Worker(
            readiness={"reason": why},
            health=unknown,
            status={**self._worker.status, **unknown, "running": False, "ready": False},
        )

    def look(self) -> None:
        """Tell, or see."""
        if self._leads():
            self._tell()
        else:
            self._link.call("GET", self._names.state, answer=self._see)

    # -- inside -----------------------------------------------------------------------------

    def _tell(self) -> None:
        own = self._own
        self._beat += 1
        worker = Worker(
            gateway=self._gateway,
            beat=self._beat,
            running=own.running,
            ready=own.ready,
            readiness=dict(own.readiness()),
            health=dict(own.health()),
            status=dict(own.status()),
            position=own.log_position,
        )
        if worker.position != self.printed.position:
            self.printed = Printed(worker.position, list(own.log_tail(MOST_LINES)))
            self._write(self._names.printed, self.printed)
        self._write(self._names.state, worker)

    def _write(self, key: str, value: msgspec.Struct) -> None:
        sealed = self._seal.close(msgspec.msgpack.encode(value), key)
        self._link.call("SET", key, sealed, answer=lambda _: None)

    def _see(self, reply: Any) -> None:
        worker = self._opened(self._names.state, Worker, reply)
        last = self._worker
        if worker is None or (worker.gateway, worker.beat) == (last.gateway, last.beat):
            return
        self._worker, self._heard_at = worker, self._clock()
        if worker.position != self.printed.position:
            self._link.call("GET", self._names.printed, answer=self._see_printed)

    def _see_printed(self, reply: Any) -> None:
        self.printed = self._opened(self._names.printed, Printed, reply) or self.printed

    def _opened(self, key: str, kind: type[Any], reply: Any) -> Any:
        """What was told; None for nothing, an error, or what is not the cluster's."""
        if reply is None or isinstance(reply, RedisError):
            return None
        try:
            return msgspec.msgpack.decode(self._seal.open(reply, key), type=kind)
        except (ValueError, msgspec.MsgspecError):
            return None
