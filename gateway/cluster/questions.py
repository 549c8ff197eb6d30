"""Questions from one gateway to another, by mail: each is answered once, or fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger

from gateway.cluster.resp import RedisError
from gateway.common.attempt import Countdown

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.python.failure import Failure

    from gateway.cluster.mail import Mail

QUESTION: Final = "question"
ANSWER: Final = "answer"
PATIENCE: Final = 300.0
"""Seconds in which an answer comes: a worker may take long to log out, and to be ready."""

_log = Logger(namespace="gateway.cluster")


class UnansweredError(Exception):
    """Nobody knows what became of the question; the text says why."""


class Asked(msgspec.Struct, array_like=True, frozen=True):
    """A question."""

    number: int
    what: str
    value: Any


class Answered(msgspec.Struct, array_like=True, frozen=True):
    """Its answer."""

    number: int
    value: Any


class Questions:
    """Asks, and answers by `handlers[what](origin, value)`, which may return a Deferred.

    Values are what msgpack knows.  A handler does not fail: an error is a value, too.
    """

    def __init__(self, reactor: Any, mail: Mail) -> None:
        self._reactor = reactor
        self._mail = mail
        self._number = 0
        self._waiting: dict[int, tuple[str, Deferred[Any], Countdown]] = {}
        self.handlers: dict[str, Callable[[str, Any], Any]] = {}
        mail.handlers[QUESTION] = self._asked
        mail.handlers[ANSWER] = self._answered

    def ask(self, whom: str, what: str, value: Any) -> Deferred[Any]:
        """Fires with the answer of `whom`; fails with UnansweredError."""
        self._number += 1
        number = self._number
        answer: Deferred[Any] = Deferred()
        late = Countdown(
            self._reactor,
            "Waiting for an answer of another gateway",
            lambda: self._fail(number, f"gateway {whom} did not answer in {PATIENCE:.0f} s"),
        )
        self._waiting[number] = whom, answer, late
        late.begin(PATIENCE)
        body = msgspec.msgpack.encode(Asked(number, what, value))
        self._mail.post(whom, QUESTION, body, lambda reply: self._sent(number, reply))
        return answer

    def gone(self, whom: str) -> None:
        """No answer of this gateway can come any more."""
        for number, (asked, _, _) in list(self._waiting.items()):
            if asked == whom:
                self._fail(number, f"gateway {whom} is gone")

    # -- inside -----------------------------------------------------------------------------

    def _sent(self, number: int, reply: Any) -> None:
        if isinstance(reply, RedisError):
            self._fail(number, str(reply))

    def _fail(self, number: int, why: str) -> None:
        answer = self._over(number)
        if answer is not None:
            answer.errback(UnansweredError(why))

    def _over(self, number: int) -> Deferred[Any] | None:
        """Nobody waits for this answer any more."""
        _, answer, late = self._waiting.pop(number, (None, None, None))
        if late is not None:
            late.cancel()
        return answer

    def _asked(self, origin: str, body: bytes) -> None:
        asked = msgspec.msgpack.decode(body, type=Asked)
        handler = self.handlers.get(asked.what)
        if handler is None:
            return
        made: Deferred[Any] = maybeDeferred(handler, origin, asked.value)
        made.addCallback(lambda value: self._tell(origin, asked.number, value))
        made.addErrback(self._failed)

    def _tell(self, origin: str, number: int, value: Any) -> None:
        self._mail.post(origin, ANSWER, msgspec.msgpack.encode(Answered(number, value)))

    def _failed(self, failure: Failure) -> None:
        _log.failure("Answering another gateway failed", failure)

    def _answered(self, origin: str, body: bytes) -> None:
        answered = msgspec.msgpack.decode(body, type=Answered)
        whom, _, _ = self._waiting.get(answered.number, ("", None, None))
        if whom == origin:
            answer = self._over(answered.number)
            if answer is not None:
                answer.callback(answered.value)
