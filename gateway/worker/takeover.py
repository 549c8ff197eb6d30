"""What a gateway before this one left: its worker, and a person's wish that there be none."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from gateway.common.attempt import attempt
from gateway.worker.process.command import plain
from gateway.worker.process.note import Note
from gateway.worker.process.predecessor import Adoption, Predecessor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twisted.internet.defer import Deferred

    from gateway.system.system import System
    from gateway.worker.keys.store import CredentialStore
    from gateway.worker.lifecycle.broker_limits import BrokerLimits
    from gateway.worker.lifecycle.lifecycle import Lifecycle
    from gateway.worker.process.claim import Claim
    from gateway.worker.process.door import Handed
    from gateway.worker.process.run_maker import RunMaker
    from gateway.worker.process.tenure import Tenure
    from gateway.worker.settings import WorkerSettings

_log = Logger(namespace="gateway.worker")


class Takeover:
    """Goes on where a gateway that was killed, or handed over, was.

    `lifecycle()` is there from `begin` on; `wall` gives seconds since 1970.  `taken` is called
    when a worker was taken over.
    """

    def __init__(
        self,
        reactor: Any,
        settings: WorkerSettings,
        claim: Claim,
        runs: RunMaker,
        keys: CredentialStore,
        *,
        limits: BrokerLimits,
        system: System,
        tenure: Tenure,
        lifecycle: Callable[[], Lifecycle],
        wall: Callable[[], float],
        taken: Callable[[], object],
    ) -> None:
        self._claim = claim
        self._runs = runs
        self._keys = keys
        self._limits = limits
        self._tenure = tenure
        self._lifecycle = lifecycle
        self._wall = wall
        self._taken = taken
        reconsider = lambda: lifecycle().reconsider()  # noqa: E731  # it is made later
        self._predecessor = Predecessor(
            reactor,
            claim,
            settings.patience(ready=False),
            interrupted=system.interrupts_orphans,
            adoption=Adoption(
                reactor,
                claim,
                runs.command,
                adopt=self._adopt,
                learn=self._has_its_keys,
                changed=reconsider,
                keeps=system.keeps_workers,
            ),
            freed=reconsider,
        )
        self.hold = self._predecessor.hold
        """A check of the gate."""
        self._mark = StopMark(claim, system.boot)
        self.is_stopped = False
        """Whether a person stopped the worker, and nobody has asked for one since."""

    def begin(self) -> bool:
        """Look for that worker, wanted or not; whether one is wanted at all."""
        attempt("Looking for the worker of the gateway before this one", self._predecessor.hold)
        self.is_stopped = self._mark.is_there
        if self.is_stopped:
            _log.info(
                "A person stopped the worker before the last gateway was killed or handed over: it"
                " stays stopped until somebody starts it",
                tag="Python",
            )
            return False
        return True

    def wished(self, *, stopped: bool) -> None:
        """A person wants that there be no worker, or that there be one."""
        self.is_stopped = stopped
        self._remember(stopped=stopped)

    def end(self, *, now: bool) -> Deferred[None]:
        """The gateway is asked to end, and so is a worker that it was to take over.

        Fires when that is gone, at once with `now`.  The next gateway starts a worker, whatever a
        person wanted of this one.
        """
        self._remember(stopped=False)
        gone = self._predecessor.dismiss()
        if now:
            self._predecessor.end()
        return gone.addCallback(lambda _: self._claim.give_up())

    def _remember(self, *, stopped: bool) -> None:
        attempt("Remembering that the worker is stopped", partial(self._mark.put, there=stopped))

    def _adopt(self, handed: Handed) -> str:
        """Go on with the worker of the gateway before this one; why not, or nothing.

        Raises OSError, and then its guardian keeps it.
        """
        lifecycle = self._lifecycle()
        note = Note.read(handed.note)
        has_its_keys = self._has_its_keys(handed.given, handed.note)
        if not lifecycle.may_adopt:
            return "no worker is wanted now"
        if not has_its_keys:
            return "other keys"
        if handed.lease is not None:
            self._tenure.resume(note.tenure, handed.lease)
        settled = None
        if note.settled is not None:
            settled = self._wall() - handed.gone - handed.age + note.settled
        lifecycle.adopt(partial(self._runs.adopt, handed, note), settled)
        self._predecessor.end()
        _log.info(
            "Took over the worker of the gateway before this one, {pid}; it goes on without a"
            " login. Logins saved today: {saved}. Bytes that it printed meanwhile and that were not"
            " kept: {dropped}",
            tag="Python",
            pid=handed.worker,
            saved=self._limits.saved,
            dropped=handed.dropped,
        )
        self._taken()
        return ""

    def _has_its_keys(self, given: Mapping[str, Any], note: Mapping[str, Any]) -> bool:
        """Go on with the keys that were posted to the gateway before this one.

        Whether a new worker would get the same keys as the one that was `given` them.
        """
        environ = {plain(name): plain(value) for name, value in given["env"].items()}
        return self._keys.adopt(environ, own=Note.read(note).own_keys)


class StopMark:
    """A file that says that a person stopped the worker, for the case that the gateway is killed.

    One that was put before the machine started says nothing: whoever switches it on wants a worker.
    `boot()` names its start; where that is unknown, the mark stays.  Without a `claim` that can be
    held there is none.
    """

    def __init__(self, claim: Claim, boot: Callable[[], str]) -> None:
        self._claim = claim
        self._boot = boot

    @property
    def is_there(self) -> bool:
        """Whether it says so."""
        with suppress(OSError):
            if self._claim.in_charge:
                return self._claim.stop_mark.read_text("ascii").strip() == self._boot()
        return False

    def put(self, *, there: bool) -> None:
        """Write it, or take it away.  Raises OSError."""
        path = self._claim.stop_mark
        if not self._claim.in_charge:
            return
        path.unlink(missing_ok=True)
        if there:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "w", encoding="ascii") as stream:
                stream.write(f"{self._boot()}\n")
