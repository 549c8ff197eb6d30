"""The hand-over: the code on disk takes over from the one that runs, in the same process.

Theory of operation.  SIGUSR2 or `POST /hand-over` asks for it; who asks while one is under way
waits for the same one.  One coroutine goes through these steps, and each may end it:

    step      what is done                                  the end of it leads to
    --------  --------------------------------------------  -------------------------------------
    check     a child looks whether the code could start,   it fails: we stay, and say why
              and makes all parts of the gateway
    part      askers are answered; clients that poll hear   a stop (SIGTERM): they come back
              that their sessions are over
    pause     ports accept no more; what was read is        a stop: ports, which are about to
              answered meanwhile                            close, accept again
    wait      signals wait from here on; those that came    a stop, or a signal of another
              before are heeded                             thread: we stay, and it is heeded
    flush     what only memory has is written: `flushes`    what raises costs only itself
    replace   exec: pid, ports and children stay, and       it raises: we stay, and say why
              the memo with the keys, which no disk sees

Nothing before the last step can't be undone, so that a failure costs nothing but new sessions of
those who poll; all other connections are closed by exec, and each client comes back.  Who polls is
between two polls most of the time, so that no connection of its breaks: it would learn from the new
program alone that its session is over, and only then wait its second before it comes back.  The
supervisor is not asked for the worker's end, so the guardian keeps it for the new program.  Signals
that wait are heeded by the new program as soon as it can: a SIGTERM then means what it always does,
and a second SIGUSR2 is one more hand-over.  A program that fails to start ends the process with one
line and status 1, as at any start; whoever started us (systemd) may do that again.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any, Final

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from gateway.app.image import heed_signals, refusal, signals_wait
from gateway.common.attempt import attempt, reason
from gateway.contract import GoingDownError, HandOverError, no_hand_over

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from gateway.app.image import Image
    from gateway.app.process import Step
    from gateway.ops.systemd import Notifier
    from gateway.web.http.listen import Listeners

LINGER: Final = 0.2
"""Seconds that answers have to leave before connections close, and polls to come before that."""

_log = Logger(namespace="gateway")


class HandOver(Service):
    """Hands the process over to the code on disk when it is asked to.

    `image`: the program of this process; None: the process is another application's, and there
    is no hand-over.  `flushes` is what is done last, in this order, before the program is replaced:
    each blocks until that which only memory has is written, within a second or two, and may be
    followed by more work, since the program may stay.  `memo()` is a descriptor of what the next
    program is told in memory, as `System.memo`.  `part()` ends the sessions that poll, and says
    whether there were any.
    `has_worker()`: whether a worker runs; only then is what is wrong with its program or its keys a
    reason to stay.
    """

    name = "the hand-over"

    def __init__(
        self,
        reactor: Any,
        image: Image | None,
        notifier: Notifier,
        flushes: Iterable[Step],
        memo: Callable[[], AbstractContextManager[int]],
        *,
        part: Callable[[], bool] = lambda: False,
        has_worker: Callable[[], bool] = lambda: False,
    ) -> None:
        self.listeners: Listeners
        """The open ports; set before the start."""
        self.flushes = list(flushes)
        """The one list: whoever has something to write adds to it."""
        self._reactor = reactor
        self._image = image
        self._notifier = notifier
        self._memo = memo
        self._part = part
        self._has_worker = has_worker
        self._answers: list[Deferred[Any]] = []
        self._under_way: Deferred[None] | None = None

    def startService(self) -> None:
        """SIGUSR2 asks for a hand-over from now on; signals that waited are heeded soon."""
        super().startService()
        if self._image is not None:
            signal.signal(
                signal.SIGUSR2, lambda *_: self._reactor.callFromThread(self._heed_signal)
            )
            # Then the reactor has its handlers.  The worker starts later: it would inherit that
            # signals wait.
            self._reactor.callWhenRunning(heed_signals)

    def stopService(self) -> None:
        super().stopService()
        if self._under_way is not None:
            self._under_way.cancel()

    def ask(self) -> Deferred[Any]:
        """Hand over, if the code on disk can start.

        Fires just before the program is replaced; raises or fails with HandOverError or
        GoingDownError when it stays.
        """
        if self._image is None:
            no_hand_over()
        if not self.running:
            raise GoingDownError("The gateway is being stopped")
        answer: Deferred[Any] = Deferred()
        self._answers.append(answer)
        if self._under_way is None:
            self._under_way = ensureDeferred(self._hand_over(self._image))
            self._under_way.addErrback(self._stays).addBoth(self._done)
        return answer

    def _heed_signal(self) -> None:
        try:
            asked = self.ask()
        except GoingDownError:
            return  # there is nothing to hand over
        asked.addErrback(lambda _: None)  # the log has it

    async def _hand_over(self, image: Image) -> None:
        _log.info("Hand-over: checking whether the code on disk can start")
        self._notifier.reloading()
        await image.check(self._reactor, self.listeners.sockets, has_worker=self._has_worker())
        _log.info("Hand-over: it can; it takes over now")
        self._answer(lambda answer: answer.callback(None))
        try:
            if self._part():
                await deferLater(self._reactor, LINGER)
            self.listeners.pause()
            await deferLater(self._reactor, LINGER)
            with signals_wait() as came:
                await deferLater(self._reactor, 0)
                for step in self.flushes:
                    attempt(step.what, step.do)
                if not came:
                    with self._memo() as memo:
                        image.replace(self.listeners.sockets, memo)
        except OSError as error:
            raise refusal(f"its program can't be run: {reason(error)}") from error
        finally:
            self.listeners.resume()

    def _stays(self, failure: Any) -> None:
        """The program was not replaced."""
        error = failure.value
        if isinstance(error, CancelledError):
            error = GoingDownError("The gateway is being stopped")
        elif isinstance(error, HandOverError):
            _log.error("{error}", error=str(error))
        else:
            _log.failure("The hand-over failed, the gateway goes on as it was", failure=failure)
            error = refusal("the gateway's log has the reason")
        self._answer(lambda answer: answer.errback(error))

    def _done(self, _: object) -> None:
        """All is as it was."""
        self._under_way = None
        if self.running:
            self._notifier.ready()

    def _answer(self, tell: Callable[[Deferred[Any]], object]) -> None:
        answers, self._answers = self._answers, []
        for each in answers:
            tell(each)
