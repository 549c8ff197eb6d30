"""The program of this process: the command of its start, a check of it, and what replaces it.

"exec" replaces the program of a process: the pid stays, and with it the children, the limits, the
signals that wait, and the descriptors that are marked as inheritable; all else ends with the old
program, all threads at once.  Python marks no descriptor by itself, so that nothing else leaks.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol

from gateway.contract import HandOverError
from gateway.system.system import NO_MEMO
from gateway.web.http.held import VARIABLE, Held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from twisted.python.failure import Failure

CHECK_SECONDS: Final = 60.0
"""Seconds for the check; a cold disk and a busy machine make it slow."""
SAID_BYTES: Final = 1 << 16
"""Most bytes that are kept of what it says."""
FAILURE: Final = "fail"
"""How a line of `--check` begins that says why no start is possible."""
WAITING: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)
"""The signals that the gateway heeds."""


class Image:
    """The command that this process was started by, and may be started by again.

    `runner` holds the options of twistd or twist, and `folder` is the working directory of the
    start, None: the present one; twistd may change to another.  `words` and `arguments` are
    Python's own `sys.orig_argv` and `sys.argv`.
    """

    def __init__(
        self,
        runner: Mapping[str, Any],
        folder: Path | None,
        words: Sequence[str] | None = None,
        arguments: Sequence[str] | None = None,
    ) -> None:
        self._words = list(sys.orig_argv if words is None else words)
        self._given = list(sys.argv if arguments is None else arguments)[1:]
        self._runner = runner
        self._folder = folder or Path.cwd()
        # nohup, and a shell's `&`: handlers would become the default again, which ends us.
        self._ignored = [each for each in WAITING if signal.getsignal(each) is signal.SIG_IGN]

    @classmethod
    def of(cls, runner: Mapping[str, Any] | None, folder: Path | None) -> Image | None:
        """None where nobody runs the gateway alone: the process is another application's."""
        return None if runner is None else cls(runner, folder)

    def command(self) -> list[str]:
        """The words of the command, whose process does not become a daemon: it is one already.

        Raises HandOverError where it can't be told.
        """
        before = len(self._words) - len(self._given)
        if before < 1 or self._words[before:] != self._given:
            raise HandOverError(
                "This gateway can't be handed over",
                "the command that started it is not known: restart it",
            )
        more = []
        if not self._runner.get("nodaemon", True):
            more = ["--nodaemon"]
            if not self._runner.get("logfile"):
                more.append("--logfile=twistd.log")  # a daemon's default
        return [sys.executable, *self._words[1:before], *more, *self._given]

    def check(
        self, reactor: Any, sockets: Sequence[tuple[str, int]], *, has_worker: bool
    ) -> Deferred[None]:
        """Have a child check whether the code on disk could start now.

        `sockets`: places that need not be free; `has_worker`: a worker runs, so one must be able
        to start.  Fails with HandOverError, which says why not.  Cancelled, it ends the child.
        """
        held = Held(os.getpid(), tuple(sockets), has_worker=has_worker)
        checking = _Check()
        try:
            reactor.spawnProcess(
                checking,
                sys.executable,
                [*self.command(), "--check"],
                env={**os.environ, VARIABLE: held.text},
                path=os.fspath(self._folder),
            )
        except OSError as error:
            raise refusal(f"its check can't be run: {error}") from error
        return checking.outcome.addTimeout(CHECK_SECONDS, reactor, _too_slow)

    def replace(self, sockets: Sequence[tuple[str, int]], memo: int = NO_MEMO) -> None:
        """Run the code on disk in this process, which keeps `sockets` and `memo`.

        Does not return.  Raises OSError; then all is as before.
        """
        command = self.command()
        environ = {**os.environ, VARIABLE: Held(os.getpid(), tuple(sockets), memo).text}
        kept = [number for number in (*(each for _, each in sockets), memo) if number != NO_MEMO]
        folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.chdir(self._folder)
            for number in kept:
                os.set_inheritable(number, True)
            for each in self._ignored:
                signal.signal(each, signal.SIG_IGN)
            os.execve(command[0], command, environ)  # noqa: S606  # no shell
        finally:
            for number in kept:
                os.set_inheritable(number, False)
            os.chdir(folder)
            os.close(folder)


@contextmanager
def signals_wait() -> Iterator[list[int]]:
    """Within it signals wait, for the end of it or for the next program of this process.

    Yields those that came nevertheless: only this thread lets them wait, and the kernel may give
    one to another thread.  Who sees one there has to leave; it comes again at the end.
    """
    came: list[int] = []
    heeded = {each: signal.getsignal(each) for each in WAITING}
    heeded = {each: how for each, how in heeded.items() if how is not signal.SIG_IGN}
    for each in heeded:
        signal.signal(each, lambda number, _: came.append(number))
    signal.pthread_sigmask(signal.SIG_BLOCK, WAITING)
    try:
        yield came
    finally:
        for each, how in heeded.items():
            signal.signal(each, how)
        heed_signals()
        for number in came:
            os.kill(os.getpid(), number)


def heed_signals() -> None:
    """Let no signal wait any more: there are handlers for them."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WAITING)


def refusal(why: str) -> HandOverError:
    """What is told when the code on disk can't take over."""
    return HandOverError("The gateway was not handed over, and goes on as it was", why)


def _too_slow(*_: object) -> None:
    raise refusal(f"the check of the code on disk took more than {CHECK_SECONDS:.0f} seconds")


class _Check(ProcessProtocol):
    """The child that checks; `outcome` fires when it has passed."""

    transport: Any

    def __init__(self) -> None:
        self.outcome: Deferred[None] = Deferred(lambda _: self._end())
        self._said = b""

    def outReceived(self, data: bytes) -> None:
        self._said = (self._said + data)[-SAID_BYTES:]

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        if self.outcome.called:  # cancelled
            return
        ended: Any = reason.value
        if ended.exitCode == 0:
            self.outcome.callback(None)
        else:
            said = self._said.decode("utf-8", "replace").splitlines()
            self.outcome.errback(refusal(_why(said) or f"its check ended with {ended}"))

    def _end(self) -> None:
        """With the Pythons that it asks, which are of its group."""
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("STOP")  # it lives, so its number is nobody else's
            with suppress(ProcessLookupError):  # it leads no group yet, and has asked none
                os.killpg(self.transport.pid, signal.SIGKILL)
            self.transport.signalProcess("KILL")


def _why(said: Sequence[str]) -> str:
    """What a check found wrong: its failures and what to do, else its last words."""
    found: list[str] = []
    is_failure = False
    for line in said:
        if not line.startswith(" "):
            is_failure = line.startswith(FAILURE)
            if is_failure:
                found.append(line.removeprefix(FAILURE).strip())
        elif is_failure:
            found[-1] += f" ({line.strip().removeprefix('-> ')})"
    if found:
        return "; ".join(found)
    last = next((line for line in reversed(said) if line.strip()), "")
    raised = next((line.strip() for line in reversed(said) if line.startswith('  File "')), "")
    return f"{last} ({raised})" if raised else last
