"""Makes each run of the worker, of what all runs share."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gateway.common.attempt import attempt
from gateway.contract import LaunchError
from gateway.worker.process.run import Run
from gateway.worker.readiness.vitals import Vitals

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred

    from gateway.system.system import System
    from gateway.worker.keys.store import CredentialStore
    from gateway.worker.lifecycle.protocols import WorkerListener
    from gateway.worker.process.claim import Claim
    from gateway.worker.process.command import Command
    from gateway.worker.process.door import Handed
    from gateway.worker.process.launch import Launcher
    from gateway.worker.process.note import Note
    from gateway.worker.process.output import WorkerOutput
    from gateway.worker.process.tenure import Tenure
    from gateway.worker.settings import WorkerSettings


class RunMaker:
    """Makes each run of the worker, with its vitals and streams, and launches it a turn later.

    `trades()` tells whether a market is open now; `gateway_url()` is what the worker is told.
    """

    def __init__(
        self,
        reactor: Any,
        settings: WorkerSettings,
        *,
        launcher: Launcher,
        keys: CredentialStore,
        output: WorkerOutput,
        claim: Claim,
        system: System,
        tenure: Tenure,
        trades: Callable[[], bool],
        gateway_url: Callable[[], str],
    ) -> None:
        self._reactor = reactor
        self._settings = settings
        self._launcher = launcher
        self._keys = keys
        self._output = output
        self._claim = claim
        self._system = system
        self._tenure = tenure
        self._trades = trades
        self._gateway_url = gateway_url

    def __call__(self, generation: int, listener: WorkerListener) -> Run:
        """Make the run with the number `generation`, which reports to `listener`."""
        run = self._run(generation, listener)
        attempt("Learning what the worker's .env keeps secret", self._learn_dotenv)
        self._reactor.callLater(0, run.launch, self.command())
        return run

    def adopt(self, handed: Handed, note: Note, listener: WorkerListener) -> Run:
        """Make the run of a worker that was handed over.

        Raises OSError, and then its guardian keeps it.
        """
        run = self._run(note.generation, listener)
        run.vitals.restore(note.vitals, handed.age)
        attempt("Learning what the worker's .env keeps secret", self._learn_dotenv)
        run.adopt(handed, note)
        return run

    def command(self) -> Deferred[Command]:
        """What would be run now.  Fails with LaunchError."""
        return self._launcher.command(self._keys.current, self._gateway_url())

    def _run(self, generation: int, listener: WorkerListener) -> Run:
        return Run(
            generation,
            listener,
            reactor=self._reactor,
            settings=self._settings,
            vitals=Vitals(self._settings, self._reactor.seconds, self._trades),
            streams=self._output.streams(generation),
            claim=self._claim,
            system=self._system,
            tenure=self._tenure,
            own_keys=self._keys.current is not None,
        )

    def _learn_dotenv(self) -> None:
        with suppress(LaunchError):  # the command says so, too
            self._keys.look(self._launcher.check(), self._launcher.target().roots)
