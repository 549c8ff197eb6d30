"""The door of a guardian, from outside: where a gateway asks for the worker of the one before it.

`guardian.py` says what is spoken there.  Its address is a UNIX socket in the state folder, which
only the own user may open, and only the own user is believed: anybody who can write to the
folder may have put another socket there.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import struct
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from gateway.common.attempt import attempt
from gateway.worker.process.guarding.words import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

BACKLOG: Final = 16
"""Visitors that wait: a gateway that gives up leaves one behind until the guardian looks."""
ANSWER_TIMEOUT: Final = 5.0
"""Seconds in which a guardian answers."""
MAX_ANSWER: Final = 4 * 1024 * 1024
"""Bytes of an answer; most of it is what the worker has printed."""
DESCRIPTORS: Final = 4
_MODE: Final = 0o600
_CREDENTIALS: Final = struct.Struct("3i")


class RefusedError(Exception):
    """The guardian keeps the worker from us, or we leave it; the text says why.

    `given` and `note` are as those of `Handed`, empty where they are not told.
    """

    def __init__(self, why: str, given: Mapping[str, Any], note: Mapping[str, Any]) -> None:
        super().__init__(why)
        self.given = given
        self.note = note


@frozen(repr=False)
class Handed:
    """A worker that was handed over; whoever has this object owns its descriptors.

    It holds the broker's keys, and so is not to be shown.
    """

    pid: int
    """The guardian's."""
    worker: int
    """The worker's pid."""
    given: Mapping[str, Any]
    """What the guardian was told to run, with the worker's environment."""
    note: Mapping[str, Any]
    """What the gateway before us noted."""
    lease: float | None
    """Until when its guardian lets it live, in seconds of `guarding.words.now`; None: for ever."""
    age: float
    """Seconds since the worker's start, or from that to its end."""
    gone: float
    """Seconds since its end; 0: it lives."""
    reports: list[str]
    """All reports of the guardian so far."""
    output: list[tuple[int, str]]
    """What was printed while nobody listened: the descriptor, and bytes as latin-1."""
    dropped: int
    """Bytes of it that are lost."""
    descriptors: list[int]
    """Lifeline, stdout, stderr and reports, as whoever starts a guardian has them."""

    @classmethod
    def of(cls, answer: Mapping[str, Any], descriptors: list[int]) -> Handed:
        """From the guardian's answer.  Raises RefusedError; ValueError for nonsense."""
        if not isinstance(answer, dict):
            raise ValueError("the guardian's answer is no object")
        if answer.get("version") != VERSION:
            raise RefusedError("another version", {}, {})
        if (refused := answer.get("refused")) is not None:
            differs = f"another {' and another '.join(map(str, refused))}"
            why = differs if refused else "it is being ended"
            raise RefusedError(why, answer.get("given") or {}, answer.get("note") or {})
        match answer:
            case {
                "pid": int(pid),
                "given": {"env": dict(), **_rest} as given,
                "age": int() | float() as age,
                "reports": [str(first), *_reports] as reports,
                "output": list(output),
                "dropped": int(dropped),
            } if len(descriptors) == DESCRIPTORS and first.startswith("started "):
                note, gone = answer.get("note"), answer.get("gone")
                return cls(
                    pid=pid,
                    worker=int(first.split()[1]),
                    given=given,
                    note=note or {},
                    lease=None if (lease := answer.get("lease")) is None else float(lease),
                    age=age,
                    gone=gone if isinstance(gone, int | float) else 0.0,  # older ones don't tell
                    reports=list(map(str, reports)),
                    output=[(int(fd), str(text)) for fd, text in output],
                    dropped=dropped,
                    descriptors=descriptors,
                )
        raise ValueError("the guardian's answer makes no sense")

    def accept(self) -> None:
        """Tell the guardian that the worker is ours.  Raises OSError: it is gone."""
        os.write(self.descriptors[0], b"adopted\n")

    def end(self) -> None:
        """Have the worker ended: nobody is to have it."""
        with suppress(OSError, IndexError):  # it is gone, or somebody has them by now
            os.write(self.descriptors[0], b"keep 0\nstop\n")  # nor is anybody waited for
        self.close()

    def close(self) -> None:
        """Let it go: the guardian keeps it for somebody else."""
        while self.descriptors:
            os.close(self.descriptors.pop())


def listen(path: Path) -> socket.socket:
    """Put the door at `path`, in place of one that is left there.  Raises OSError."""
    door = socket.socket(socket.AF_UNIX)
    try:
        path.unlink(missing_ok=True)
        os.fchmod(door.fileno(), _MODE)  # before there is a name by which others could open it
        with _address(path) as address:
            door.bind(address)
        door.listen(BACKLOG)
    except BaseException:
        door.close()
        raise
    return door


def ask(reactor: Any, path: Path, identity: Mapping[str, str]) -> Deferred[Handed]:
    """Ask the guardian whose door is at `path` for its worker, if that is what we would run.

    Fails with OSError (ENOENT or ECONNREFUSED: nobody is there; EPERM: another user is),
    RefusedError or ValueError.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        with _address(path) as address:
            connection.connect(address)
        size = _CREDENTIALS.size
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        _, user, _ = _CREDENTIALS.unpack(credentials)
        if user != os.getuid():
            raise PermissionError(errno.EPERM, f"it is a socket of user {user}")
        connection.send(json.dumps({"version": VERSION, "identity": identity}).encode())
        return _Visit(reactor, connection).answer
    except BaseException:
        connection.close()
        raise


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """An address for `path`, which may be longer than the 107 bytes that fit into one."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


@implementer(IReadDescriptor)
class _Visit:
    """Waits for the answer, one line and its descriptors; `answer` fires with the outcome."""

    def __init__(self, reactor: Any, connection: socket.socket) -> None:
        self._reactor = reactor
        self._connection = connection
        self._data = b""
        self._descriptors: list[int] = []
        self.answer: Deferred[Handed] = Deferred(lambda _: self._fail(CancelledError()))
        late = TimeoutError(errno.ETIMEDOUT, "the guardian does not answer")
        self._timer = reactor.callLater(ANSWER_TIMEOUT, self._fail, late)
        reactor.addReader(self)

    def fileno(self) -> int:
        return self._connection.fileno()

    def logPrefix(self) -> str:
        return "the guardian's door"

    def connectionLost(self, reason: Failure) -> None:
        """The reactor has no use for it any more."""
        self._fail(ConnectionError(reason.getErrorMessage()))

    def doRead(self) -> None:
        try:
            self._read()
        except BlockingIOError:
            pass
        except Exception as error:
            self._fail(error)

    def _read(self) -> None:
        space = socket.CMSG_SPACE(DESCRIPTORS * 4)
        data, rights, flags, _ = self._connection.recvmsg(65536, space, socket.MSG_CMSG_CLOEXEC)
        for _, _, given in rights:
            self._descriptors += struct.unpack(f"{len(given) // 4}i", given)
        if flags & socket.MSG_CTRUNC:
            raise OSError(errno.EMFILE, "no room for the worker's pipes")
        self._data += data
        if not data:
            raise ConnectionResetError(errno.ECONNRESET, "the guardian went away")
        if len(self._data) > MAX_ANSWER:
            raise ValueError("the guardian's answer is too long")
        if self._data.endswith(b"\n"):
            handed = Handed.of(json.loads(self._data), self._descriptors)
            self._over()
            self.answer.callback(handed)

    def _fail(self, error: BaseException) -> None:
        if self._connection.fileno() < 0:
            return
        self._over()
        for descriptor in self._descriptors:
            attempt("Closing what a guardian gave", partial(os.close, descriptor))
        self.answer.errback(Failure(error))

    def _over(self) -> None:
        self._reactor.removeReader(self)
        if self._timer.active():
            self._timer.cancel()
        self._connection.close()
