"""Joins the election of a cluster and the worker: who has the lease may have a worker."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
from twisted.application.service import Service
from twisted.logger import Logger

import gateway as package
from gateway.cluster.election import Record
from gateway.cluster.inheritance import Inheritance
from gateway.cluster.lease import Lease
from gateway.cluster.seal import Seal
from gateway.common.attempt import attempt
from gateway.worker.lifecycle.gate import Hold
from gateway.worker.process.command import latin
from gateway.worker.process.guarding.words import now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twisted.internet.defer import Deferred

    from gateway.cluster.cluster import Cluster
    from gateway.cluster.terms import Terms
    from gateway.worker.supervisor import Supervisor

LOOK: Final = 20.0
"""Seconds after which the gate is asked again, though it is told of each change."""
PATIENCE: Final = (10.0, 5.0)
"""Seconds after SIGINT and after SIGTERM that a worker has in the end of a long lease."""
RELEASE: Final = (sys.executable, "-m", "gateway.cluster.release")
ROOT: Final = Path(package.__file__).parents[1]
"""Where Python finds our package."""

_log = Logger(namespace="gateway.cluster")


class ElectedWorker(Service):
    """The `Tenure` of a gateway in a cluster; `supervisor` is set before the start.

    It starts before the worker's service, and stops after that.
    """

    name = "the election"
    supervisor: Supervisor

    def __init__(
        self,
        reactor: Any,
        cluster: Cluster,
        terms: Terms,
    ) -> None:
        settings, names = cluster.settings, cluster.names
        self.cluster = names.cluster
        self._address = settings.address
        self._names = names
        self._gateway = cluster.gateway
        self._link = cluster.talk
        self._patience = terms.patience(*PATIENCE)
        logs = [key for each in settings.namespaces for key in (names.log(each), names.meta(each))]
        self._lease = Lease(
            reactor,
            cluster.talk,
            [names.lease, *logs],
            me=f"{cluster.gateway}.{cluster.incarnation}",
            terms=terms,
            clock=now,
            changed=self._changed,
            may_take=cluster.reads,
        )
        cluster.token = self.token
        seal = Seal(settings.secret("inheritance"))
        self._inheritance = Inheritance(cluster.talk, names, seal)
        self.on_release: Callable[[], object] = bool
        """Called when the lease was given back: who waits for it need not find out."""
        self._led = False
        self._is_informed = False
        """Whether we know what the gateway knew that had the worker before."""

    def look(self) -> None:
        """Another gateway has given the lease back."""
        self._lease.look()

    def leads(self) -> bool:
        """Whether this gateway may have the worker now."""
        return self._lease.election.until is not None

    def token(self) -> int:
        """Of the lease while we hold it; else 0."""
        record = self._lease.election.record
        return record.token if self.leads() and record is not None else 0

    @property
    def holder(self) -> str:
        """The gateway that has the worker, as far as is known; "" for nobody."""
        record = self._lease.election.record
        return "" if record is None else record.holder.rpartition(".")[0]

    def startService(self) -> None:
        super().startService()
        self._lease.start()

    def stopService(self) -> Deferred[None]:
        """The worker is gone: let another gateway have one."""
        super().stopService()
        self._keep()
        led = self.leads()
        released = self._lease.release()
        if led:
            attempt("Telling that the worker's place is free", self.on_release)
        return released

    @property
    def why(self) -> str:
        """Why this gateway has not the worker, for people."""
        if not self._link.is_up:
            return "the cluster's log does not answer"
        if self.holder:
            return f"gateway {self.holder} has the worker"
        return "the cluster has not agreed yet which gateway has the worker"

    def status(self) -> dict[str, Any]:
        """The lease, for `/status`; seconds, None while nothing of it was seen."""
        election = self._lease.election
        record, span = election.record, election.span
        present = now()
        return {
            "seconds": self._lease.terms.lease,
            "token": None if record is None else record.token,
            "renewed": None if span is None else round(max(0.0, present - span[0]), 1),
            "left": None if span is None else round(max(0.0, span[1] - present), 1),
        }

    # -- the tenure -------------------------------------------------------------------------

    def hold(self, *, person: bool = False, force: bool = False) -> Hold | None:
        """No start without the lease, or so late in it that the worker would have to end."""
        until = self._lease.election.until
        if until is None:
            return Hold(self.why, LOOK, is_open=True)
        if until - now() <= sum(self._patience):
            return Hold("the cluster's log does not answer", LOOK, is_open=True)
        if not self._is_informed:
            why = "what the gateway knew that had the worker before is being read"
            return Hold(why, LOOK, is_open=True)
        return None

    def lease(self) -> Mapping[str, Any]:
        """For the guardian."""
        until = self._lease.election.until
        told = {"address": attrs.asdict(self._address), "lease": self._names.lease, **self.told()}
        argv = list(map(latin, RELEASE))
        after = {"argv": argv, "cwd": latin(os.fspath(ROOT)), "input": json.dumps(told)}
        return {"until": until or 0.0, "patience": self._patience, "after": after}

    def told(self) -> Mapping[str, Any]:
        """Holder and token."""
        record = self._lease.election.record
        return {} if record is None else {"holder": record.holder, "token": record.token}

    def resume(self, told: Mapping[str, Any], until: float) -> None:
        """Go on with holder and token.  Raises ValueError for nonsense."""
        match told:
            case {"holder": str(holder), "token": int(token)}:
                self._is_informed = True
                self._lease.election.resume(Record(holder, token, 0, ""), until)
            case _:
                raise ValueError("what was noted of the cluster makes no sense")

    # -- inside -----------------------------------------------------------------------------

    def _changed(self) -> None:
        until = self._lease.election.until
        led, self._led = self._led, until is not None
        if led and until is None:
            self._is_informed = False
            _log.warn("The worker is given up: {why}", why=self.why)
        elif until is not None and not led:
            _log.info("This gateway, {name}, has the worker of the cluster", name=self._gateway)
        attempt("Heeding the right to the worker", lambda: self.supervisor.may_live(until))
        if until is not None and not self._is_informed:
            self._inheritance.read(self._inherit, lambda: None)  # else at the next beat
        else:
            self._keep()

    def _inherit(self, told: bytes | None) -> None:
        """Know what the gateway knew that had the worker before; then ours may start."""
        if not self.leads() or self._is_informed:
            return
        if told is not None:
            self.supervisor.estate.learn(told)
        self._is_informed = True
        self.supervisor.may_live(self._lease.election.until)

    def _keep(self) -> None:
        """Leave what we know for the gateway that has the worker after us."""
        own = self._lease.election.record
        if self.leads() and self._is_informed and own is not None:
            estate = self.supervisor.estate
            attempt("Keeping what we know", lambda: self._inheritance.keep(own, estate.told()))
