"""The gateway as one service: in which order its parts start and stop, and their errors."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from twisted.application.internet import TimerService
from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.logger import LogEvent

_log = Logger(namespace="gateway")

_ONCE = "the gateway was started before, and starts once: make another one with makeService"


class StartError(Exception, SystemExit):
    """The gateway can't start; the text is one line for the user, which was printed already.

    twistd tidies up after an Exception; a SystemExit that nobody catches ends the process
    with status 1 and without a traceback.  So this is both.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.code = 1


class Gateway(MultiService):
    """The gateway; `setServiceParent` puts it into an application, as any other service.

    Its children start in their order.  They stop in the opposite order, each when the one
    before has stopped: MultiService alone would stop all of them at once, and browsers would
    miss the last events of the worker.  A child that fails is logged, and the others go on.
    Only StartError ends a start: a port is in use, for instance.

    It can be started once: a second start raises RuntimeError.  After a stop make another one.
    Its log is opened when twistd puts it into its application, since twistd logs before it
    starts services; nothing else is done before the start.

    `make_observer()` makes an observer that logs by the gateway's options, without secrets.
    `is_alone`: the application is nothing but the gateway (`twistd sjgateway`), so its log is
    ours; in another one only its author can set it, as the ILogObserver of the application.
    `reload()` reads again what may have changed on disk; SIGHUP calls it where we are alone.
    """

    def __init__(
        self,
        make_observer: Callable[[], Callable[[LogEvent], None]],
        reload: Callable[[], None],
        *,
        is_alone: bool = False,
    ) -> None:
        super().__init__()
        self.make_observer = make_observer
        self.reload = reload
        self._is_alone = is_alone
        self._is_prepared = False
        self._is_started = False
        self._stopping: list[Deferred[None]] = []

    def setServiceParent(self, parent: Any) -> None:
        """Raises StartError when the log can't be written to."""
        super().setServiceParent(parent)
        if self._is_alone and isinstance(parent, Componentized):
            try:
                observer = self.make_observer()
            except (OSError, ValueError) as error:
                raise refused(error) from None
            parent.setComponent(ILogObserver, observer)

    def privilegedStartService(self) -> None:
        """Open the ports.  Raises StartError when one can't be had."""
        if self._is_prepared:
            raise RuntimeError(_ONCE)
        self._is_prepared = True
        super().privilegedStartService()

    def startService(self) -> None:
        """Start everything, and open the ports if nobody has asked for that before (twist)."""
        if self._is_started:
            raise RuntimeError(_ONCE)
        if not self._is_prepared:
            self.privilegedStartService()
        self._is_started = True
        Service.startService(self)
        for child in self:
            try:
                child.startService()
            except StartError:
                raise
            except Exception:
                _log.failure("Starting {what} failed", what=child.name)

    def stopService(self) -> Deferred[None]:
        """Fires when all is stopped; a second call waits for the same end."""
        answer: Deferred[None] = Deferred()
        self._stopping.append(answer)
        if len(self._stopping) == 1:
            Service.stopService(self)
            _log.info("Stopping")
            ensureDeferred(self._stop())
        return answer

    async def _stop(self) -> None:
        for child in reversed(list(self)):
            if child.running:
                try:
                    await maybeDeferred(child.stopService)
                except Exception:
                    _log.failure("Stopping {what} failed", what=child.name)
        answers, self._stopping = self._stopping, []
        for answer in answers:
            answer.callback(None)


class Part(Service):
    """A service by two functions: `start()`, and `stop()`, which may return a Deferred."""

    def __init__(
        self,
        name: str,
        *,
        start: Callable[[], object] | None = None,
        stop: Callable[[], Any] | None = None,
    ) -> None:
        self.name = name
        self._start = start
        self._stop = stop

    def startService(self) -> None:
        super().startService()
        if self._start is not None:
            self._start()

    def stopService(self) -> Any:
        super().stopService()
        return None if self._stop is None else self._stop()


def periodic(reactor: Any, what: str, seconds: float, look: Callable[[], object]) -> TimerService:
    """A service that calls `look` at its start and then every so many seconds.

    An error is logged and costs this one call: a TimerService alone would stop for good.
    """

    def contained() -> None:
        try:
            look()
        except Exception:
            _log.failure("{what} failed", what=what)

    service = TimerService(seconds, contained)
    service.clock = reactor
    service.setName(what)
    return service


def refused(error: Exception) -> StartError:
    """Print one line that says why nothing starts, and return the error to raise.

    A daemon has no stderr: there the line goes to the log.  `sys.stderr` can't be used, since
    twistd has put its log there.
    """
    line = f"sjgateway: {error}"
    if _is_heard(sys.__stderr__):
        print(line, file=sys.__stderr__)  # it is the answer
    else:
        _log.critical("{line}", line=line)
    return StartError(line)


def _is_heard(stream: Any) -> bool:
    with suppress(OSError, ValueError, AttributeError):
        return not os.path.samestat(os.fstat(stream.fileno()), os.stat(os.devnull))  # noqa: PTH116
    return False
