"""One connection to Redis: commands go out at once, and their answers come in the same order."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import hiredis
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.tcp import Connection

from gateway.common.attempt import Attempts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.python.failure import Failure

    Argument = bytes | str | int
    Answer = Callable[[Any], object]
    """Called once with a reply (bytes, int, list or None), or with an instance of RedisError."""

_NOTHING = object()
_pack: Any = hiredis.pack_command  # it is typed for one argument


class RedisError(Exception):
    """What Redis has against a command; `code` is the first word."""

    @property
    def code(self) -> str:
        """Such as `NOSCRIPT`."""
        return str(self).partition(" ")[0]


class LostError(RedisError):
    """There is no connection, or it was lost before the answer came."""


def pairs(flat: Sequence[bytes]) -> dict[bytes, bytes]:
    """The fields of an entry or a hash, by name, as Redis lists them."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


class Redis(Protocol):
    """A connection; `lost(why)` is called once when it is over.

    `clock` is in seconds; `waits_since` says since when an answer is due, so that somebody else
    can tell that the server hangs.
    """

    def __init__(self, lost: Callable[[str], object], clock: Callable[[], float]) -> None:
        self._lost = lost
        self._clock = clock
        self._answers: deque[Answer] = deque()
        self._write: Callable[[bytes], object] = _ignore
        self._send: Callable[[bytes], int] | None = None
        self._reader = hiredis.Reader(
            protocolError=RedisError, replyError=RedisError, notEnoughData=_NOTHING
        )
        self._write_now: Callable[[], object] = _nothing
        self._heard = 0.0
        self._is_over = False
        self._attempt = Attempts()

    def connectionMade(self) -> None:
        transport: Any = self.transport
        self._write = transport.write
        # The next turn of the reactor would be a detour, and two calls of epoll_ctl.
        self._write_now = getattr(transport, "doWrite", _nothing)
        if isinstance(transport, Connection):
            self._send = transport.getHandle().send

    @property
    def waits_since(self) -> float | None:
        """Since when the oldest answer is due; None: none is."""
        return self._heard if self._answers else None

    def send(self, command: Sequence[Argument], answer: Answer) -> None:
        """Send one command; its answer is LostError when the connection is over before."""
        if self._is_over:
            answer(LostError("LOST there is no connection"))
            return
        packed = _pack(tuple(command))  # if this raises, no answer is awaited
        if not self._answers:
            self._heard = self._clock()
        self._answers.append(answer)
        rest = packed if self._send is None else self._sent(self._send, packed)
        if rest:
            self._write(rest)
            self._write_now()

    def _sent(self, send: Callable[[bytes], int], data: bytes) -> bytes:
        """What the socket does not take of `data` now; whatever is wrong the reactor finds out."""
        transport: Any = self.transport
        if transport.dataBuffer or transport._tempDataBuffer:
            return data
        try:
            return data[send(data) :]
        except OSError:
            return data

    def dataReceived(self, data: bytes) -> None:
        self._heard = self._clock()
        reader, answers = self._reader, self._answers
        reader.feed(data)
        try:
            while not self._is_over and (reply := reader.gets()) is not _NOTHING:
                if not answers:
                    raise RedisError("PROTOCOL an answer to nothing")
                self._attempt("Hearing an answer of Redis", answers.popleft(), reply)
        except RedisError as error:
            self.drop(str(error))

    def drop(self, why: str) -> None:
        """End the connection now."""
        if self.transport is not None:
            self.transport.abortConnection()
        self._end(why)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._end(reason.getErrorMessage())

    def _end(self, why: str) -> None:
        if self._is_over:
            return
        self._is_over = True
        answers, self._answers = self._answers, deque()
        self._lost(why)
        for answer in answers:
            self._attempt("Hearing that Redis is gone", answer, LostError(f"LOST {why}"))


def _ignore(data: bytes) -> None:
    """Nothing is written before there is a transport."""


def _nothing() -> None:
    """What has no socket of its own is written to by the reactor."""
