"""What is done about a worker that tells of a pause which the broker imposes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger

if TYPE_CHECKING:
    from gateway.worker.keeper import Keeper
    from gateway.worker.lifecycle.broker_limits import BrokerLimits

_log = Logger(namespace="gateway.worker")


class Pauses:
    """Has the next start wait, and stops a worker that does not wait itself."""

    def __init__(self, limits: BrokerLimits, keeper: Keeper) -> None:
        self._limits = limits
        self._keeper = keeper

    def printed(self, cause: str, generation: int) -> None:
        """The worker `generation` printed words of this class of errors."""
        run = self._keeper.run
        if run is not None and run.generation == generation:
            run.blame(cause)
        self.told(cause, generation)

    def told(self, cause: str, generation: int) -> None:
        """It told of such an error, or ended by it."""
        words = self._limits.notice(cause, generation)
        if not words:
            return
        if words == 1:
            hold = self._limits.hold(person=True)
            _log.warn(
                "The broker asked for a pause ({cause}): no start for {seconds:.0f} s",
                tag="Python",
                cause=cause,
                seconds=hold.seconds if hold else 0,
            )
        self._keeper.reconsider()
        run = self._keeper.run
        present = run is not None and run.alive and run.generation == generation
        if words > 1 and run is not None and present and not run.vitals.ready:
            self._keeper.suspend()  # one that works is left alone
