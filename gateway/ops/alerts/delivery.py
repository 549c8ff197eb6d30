"""Hands alerts to a receiver until they have arrived.  No log line has a secret."""

from __future__ import annotations

from collections import deque
from time import time
from typing import TYPE_CHECKING, Any, Final

import attrs
from twisted.internet.defer import CancelledError, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred

    from gateway.engineio.deadlines import Deadline, Deadlines
    from gateway.ops.alerts.receivers import Message


@attrs.frozen
class PostError(Exception):
    """A post failed; `reason` ends a sentence that begins with the receiver's host."""

    reason: str
    retry: bool = True
    """Whether another try makes sense."""
    after: float = 0.0
    """Seconds that the receiver asked to wait before that."""


@attrs.frozen
class Outcome:
    """What became of a try, at `at`, in seconds since 1970; `reason` "": it arrived."""

    at: float
    reason: str


# -- One alert after the other to one receiver.

MAX_WAITING: Final = 50
"""Most alerts that wait for one receiver; then the oldest is dropped."""
MAX_TRIES: Final = 10
FIRST_PAUSE: Final = 2.0
"""Seconds to the second try.  Each pause is twice the one before it."""
LONGEST_PAUSE: Final = 600.0
"""Most seconds of a pause.  Up to half of each pause is random."""

RESULTS: Final = ("delivered", "failed", "lost")
"""Messages that arrived, tries that did not, and messages that were given up."""

_log = Logger(namespace="gateway")


class Delivery:
    """Hands alerts to one receiver, in order, and tries again while that makes sense.

    `post(message)` fails with PostError; `random()` is from 0 to 1; `host` is named in the log.
    `join(older, newer)` makes one message of two, where the newest state is all that counts: what
    has not arrived yet is then sent together with what is new, and waits for no pause any more.
    """

    last: Outcome | None = None
    """What became of the last try; None: there was none."""

    def __init__(
        self,
        host: str,
        post: Callable[[Message], Deferred[None]],
        deadlines: Deadlines,
        random: Callable[[], float],
        wall: Callable[[], float] = time,
        *,
        join: Callable[[Message, Message], Message] | None = None,
    ) -> None:
        self._host = host
        self._post = post
        self._deadlines = deadlines
        self._random = random
        self._wall = wall
        self._join = join
        self._waiting: deque[Message] = deque()
        self._present: Message | None = None
        self._tries = 0
        self._request: Deferred[None] | None = None
        self._trials: list[Deferred[None]] = []
        self._retry: Deadline | None = None
        self.results = dict.fromkeys(RESULTS, 0)

    def send(self, message: Message) -> None:
        """Hand over `message` after all before it, or together with them."""
        if self._join is not None:
            message = self._joined(self._join, message)
        if len(self._waiting) == MAX_WAITING:
            self._waiting.popleft()
            self.results["lost"] += 1
        self._waiting.append(message)
        if self._present is None:
            self._next()

    def try_once(self, message: Message) -> Deferred[str]:
        """Hand over `message` now, beside those that wait; fires with what went wrong, or ""."""
        trying = maybeDeferred(self._post, message)
        self._trials.append(trying)

        def over(result: object) -> str:
            self._trials.remove(trying)
            if isinstance(result, Failure):
                result.trap(PostError)
                return self._note(str(getattr(result.value, "reason", "")))
            return self._note("")

        return trying.addBoth(over)

    def stop(self) -> None:
        """Try no more."""
        for trying in list(self._trials):
            trying.cancel()
        self._waiting.clear()
        if self._request is not None:
            self._request.cancel()
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _joined(self, join: Callable[[Message, Message], Message], message: Message) -> Message:
        """`message` with all that waits; a pause of the present one ends."""
        if self._waiting:
            message = join(self._waiting.pop(), message)
        if self._retry is not None:
            assert self._present is not None
            self._retry.cancel()
            message = join(self._present, message)
            self._retry = self._present = None
        return message

    def _next(self) -> None:
        self._present = self._waiting.popleft() if self._waiting else None
        self._tries = 0
        if self._present is not None:
            self._try()

    def _try(self) -> None:
        assert self._present is not None
        self._retry = None
        self._tries += 1
        self._request = request = maybeDeferred(self._post, self._present)
        request.addCallbacks(self._delivered, self._failed)
        request.addErrback(lambda failure: _log.failure("An alert is lost", failure))

    def _delivered(self, _: None) -> None:
        self._request = None
        self._note("")
        self.results["delivered"] += 1
        self._next()

    def _failed(self, failure: Failure) -> None:
        self._request = None
        if failure.check(CancelledError):
            return
        error: Any = failure.value
        if not isinstance(error, PostError):  # a fault of ours; the next alert has another chance
            _log.failure("An alert is lost", failure)
            error = PostError("was not asked: see the traceback", retry=False)
        self._note(error.reason)
        self.results["failed"] += 1
        if not error.retry or self._tries == MAX_TRIES:
            self.results["lost"] += 1
            self._say("The alert is given up: {host} {reason}", error)
            self._next()
            return
        if self._join is not None and self._waiting:
            assert self._present is not None
            self._waiting.append(self._join(self._present, self._waiting.pop()))
            self._next()
            return
        pause = max(self._pause(), min(error.after, LONGEST_PAUSE))
        self._say("An alert waits: {host} {reason}; next try in {pause:.0f} s", error, pause)
        self._retry = self._deadlines.call_later(pause, self._try)

    def _note(self, reason: str) -> str:
        self.last = Outcome(self._wall(), reason)
        return reason

    def _pause(self) -> float:
        longest = min(FIRST_PAUSE * 2.0 ** (self._tries - 1), LONGEST_PAUSE)
        return longest * (1 - self._random() / 2)

    def _say(self, words: str, error: PostError, pause: float = 0.0) -> None:
        _log.warn(words, host=self._host, reason=error.reason, pause=pause)
