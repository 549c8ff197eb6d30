"""Waits for the worker that a gateway before this one left, or goes on with it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred, succeed
from twisted.logger import Logger

from gateway.common.attempt import attempt, reason
from gateway.worker.lifecycle.gate import Hold
from gateway.worker.process.door import Handed, RefusedError, ask
from gateway.worker.process.orphan import OrphanedWorker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from twisted.python.failure import Failure

    from gateway.worker.process.claim import Claim
    from gateway.worker.process.command import Command

_log = Logger(namespace="gateway.worker")

INTERVAL = 0.2
"""Seconds between two looks."""
REASON = "the previous worker is logging out"
ADOPTING = "the worker of the gateway before this one is being taken over"
NOT_KEPT = "its guardian does not keep it"
SPARE = 5.0
"""Seconds that its end may take beyond all patience."""


class Adoption:
    """Asks the guardian of a gateway that is gone for its worker.

    `command()` is what we would run now; `adopt(handed)` goes on with a worker, and returns why
    it does not, or nothing.  It may raise OSError: then the guardian keeps the worker, and is
    asked again.  `learn(given, note)` is told of a worker that may not be had.  `changed` is called
    when there is no hope any more.  `keeps`: whether guardians keep workers on this system.
    """

    def __init__(
        self,
        reactor: Any,
        claim: Claim,
        command: Callable[[], Deferred[Command]],
        *,
        adopt: Callable[[Handed], str],
        learn: Callable[[Mapping[str, Any], Mapping[str, Any]], object],
        changed: Callable[[], object],
        keeps: bool = True,
    ) -> None:
        self._reactor = reactor
        self._claim = claim
        self._command = command
        self._adopt = adopt
        self._learn = learn
        self._changed = changed
        self._keeps = keeps
        self._asking: Deferred[Any] | None = None
        self._why = ""
        """Why it was not taken over the last time."""
        self.hopeful = True
        """Whether asking again may help."""

    @property
    def under_way(self) -> bool:
        """Whether an answer is to come: it may tell keys, though its guardian is gone by then."""
        return self._asking is not None

    def ask(self) -> None:
        """Ask, if that may help and is not under way."""
        if not self.hopeful or self._asking is not None:
            return
        if not self._keeps:
            self.give_up(NOT_KEPT)
        else:
            asking = self._asking = maybeDeferred(self._command)
            asking.addCallback(
                lambda command: ask(self._reactor, self._claim.door, command.identity)
            )
            asking.addBoth(self._over)
            asking.addCallbacks(self._handed, self._failed)

    def cancel(self) -> None:
        """Ask no longer; may be begun again."""
        self.hopeful = True
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()

    def refuse(self) -> None:
        """Ask no more, and begin never again."""
        self.cancel()
        self.hopeful = False

    def give_up(self, why: str) -> None:
        """Ask no more; tell people."""
        self.hopeful = False
        _log.warn(
            "The worker of the gateway before this one is not taken over ({why}): it is ended, and"
            " the next one logs in",
            tag="Python",
            why=why,
        )
        self._changed()

    def _over(self, outcome: Any) -> Any:
        self._asking = None
        return outcome

    def _handed(self, handed: Handed) -> None:
        try:
            why = self._adopt(handed)
        except OSError as error:
            handed.close()
            self._put_off(reason(error))
            return
        except Exception as error:
            _log.failure("The worker can't be taken over")
            why = reason(error)
        if why:
            handed.end()
            self.give_up(why)

    def _failed(self, failure: Failure) -> None:
        error: Any = failure.value
        if isinstance(error, CancelledError):
            return
        if isinstance(error, RefusedError) and error.given:
            learning = partial(self._learn, error.given, error.note)
            attempt("Learning the keys of a worker that ends", learning)
        if isinstance(error, RefusedError | ValueError):
            self.give_up(str(error))
        elif isinstance(error, PermissionError):
            self.give_up(f"{self._claim.door} is not its guardian's: {reason(error)}")
        elif isinstance(error, FileNotFoundError | ConnectionRefusedError):
            self.give_up(NOT_KEPT)
        else:
            self._put_off(reason(error))

    def _put_off(self, why: str) -> None:
        """Ask again, which the guardian's patience bounds; tell people once."""
        if self._why != why:
            self._why = why
            _log.warn("The worker can't be taken over yet: {why}", tag="Python", why=why)


class Predecessor:
    """Says whether the worker of a gateway that is gone is still there, and what becomes of it.

    It is taken over if that may be (`adoption`); otherwise its guardian is told to end it.  A
    guardian that was stopped is woken; where it was killed, too, the worker is ended from here,
    with `patience` as for one of our own; `interrupted` is as for `OrphanedWorker`.  `freed` is
    called when nothing of that worker is left.
    """

    def __init__(
        self,
        reactor: Any,
        claim: Claim,
        patience: tuple[float, float, float],
        *,
        interrupted: bool,
        adoption: Adoption,
        freed: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._claim = claim
        self._patience = patience
        self._interrupted = interrupted
        self._adoption = adoption
        self._freed = freed
        self._looking: Any = None
        self._expected = 0.0
        self._orphan: OrphanedWorker | None = None
        self._dismissed: list[Deferred[None]] = []
        self._seen: set[int] = set()
        """Processes that were part of it."""

    def hold(self, *, person: bool = False, force: bool = False) -> Hold | None:
        """A check of the gate: holds a start while that worker is there, and waits for its end.

        Raises OSError where it can't be told.
        """
        if self._claim.free and not self._adoption.under_way:
            return None
        now = self._reactor.seconds()
        if self._looking is None:
            _log.info("There is a worker of the gateway before this one", tag="Python")
            self._expected = now + sum(self._patience) + SPARE
            self._looking = self._reactor.callLater(0, self._look)
        why = ADOPTING if self._adoption.hopeful else REASON
        return Hold(why, max(self._expected - now, SPARE))

    def end(self) -> None:
        """Wait no longer."""
        looking, self._looking = self._looking, None
        if looking is not None and looking.active():
            looking.cancel()
        self._adoption.cancel()
        dismissed, self._dismissed = self._dismissed, []
        for each in dismissed:
            each.callback(None)

    def dismiss(self) -> Deferred[None]:
        """Have it ended now, politely, as nobody is to have it; fires when nothing of it is left.

        `end` fires it, too.
        """
        if self._looking is None:
            return succeed(None)
        self._adoption.refuse()
        self._dismissed.append(Deferred())
        return self._dismissed[-1]

    def _look(self) -> None:
        self._looking = self._reactor.callLater(INTERVAL, self._look)
        gone: list[bool] = []
        attempt("Looking at the previous worker", lambda: gone.append(self._is_gone()))
        if gone == [True] and not self._adoption.under_way:
            _log.info("The previous worker is gone", tag="Python")
            self.end()
            self._freed()
        elif gone != [True] and self._orphan is None:
            self._adoption.ask()

    def _is_gone(self) -> bool:
        if self._claim.free:
            self._reap()
            return True
        self._see_to_its_end()
        return False

    def _see_to_its_end(self) -> None:
        holders = self._claim.holders()
        self._seen.update(holders)
        if not holders or self._orphan is not None:
            return
        if guardians := list(filter(guards, holders)):
            if not self._adoption.hopeful:  # it would keep the worker for nobody
                _signal(guardians, signal.SIGTERM)
            _signal(filter(_stopped, holders), signal.SIGCONT)
            return
        _log.warn(
            "The previous worker {pid} has lost its guardian: it is ended from here",
            tag="Python",
            pid=holders[0],
        )
        self._orphan = OrphanedWorker(
            self._reactor,
            holders[0],
            self._patience,
            interrupted=self._interrupted,
            holders=self._claim.holders,
            gone=lambda: None,
            done=self._done,
        )
        if self._adoption.hopeful:
            self._adoption.give_up("its guardian was killed")

    def _done(self) -> None:
        self._orphan = None

    def _reap(self) -> None:
        """After an exec in place its guardian is a child of ours."""
        while self._seen:
            with suppress(ChildProcessError):
                os.waitpid(self._seen.pop(), os.WNOHANG)


def guards(pid: int) -> bool:
    """Whether `pid` is a guardian."""
    import psutil  # noqa: PLC0415  # by need

    with suppress(psutil.Error):
        words = psutil.Process(pid).cmdline()
        return words[1:3] == ["-I", "-S"] and words[3:4] != [] and "guardian" in words[3]
    return False


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _stopped(pid: int) -> bool:
    import psutil  # noqa: PLC0415  # by need

    with suppress(psutil.Error):
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    return False
