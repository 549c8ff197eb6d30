"""Posts alerts over verified HTTPS until they have arrived.

No redirect is followed, every wait has an end, and no log line has a secret.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import attrs
import orjson
from OpenSSL import SSL, crypto
from service_identity import VerificationError
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Protocol
from twisted.internet.ssl import Certificate, trustRootFromCertificates
from twisted.logger import Logger
from twisted.web.client import Agent, BrowserLikePolicyForHTTPS, HTTPConnectionPool
from twisted.web.http_headers import Headers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from twisted.python.failure import Failure
    from twisted.web.iweb import IResponse

    from gateway.engineio.deadlines import Deadline, Deadlines

    Body = Mapping[str, Any]

TIMEOUT: Final = 10.0
"""Seconds from the look-up of the name to the status of the answer."""
TEMPORARY: Final = frozenset((408, 425, 429))
"""Statuses below 500 after which another try makes sense."""
MAX_REASON: Final = 200
"""Characters of a reason."""

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@attrs.frozen
class PostError(Exception):
    """A post failed; `reason` ends a sentence that begins with the receiver's host."""

    reason: str
    retry: bool = True
    """Whether another try makes sense."""
    after: float = 0.0
    """Seconds that the receiver asked to wait before that."""


class WebhookClient:
    """Posts JSON; trusts only the authorities in `ca_file`, or the system's without one.

    Raises ValueError when the file has none.
    """

    def __init__(self, reactor: Any, ca_file: Path | None) -> None:
        self._reactor = reactor
        agent = Agent(
            reactor,
            BrowserLikePolicyForHTTPS(None if ca_file is None else _authorities(ca_file)),
            pool=HTTPConnectionPool(reactor, persistent=False),
        )
        self._http = HTTPClient(agent)  # type: ignore[arg-type]  # an IAgent, by zope

    def post(self, url: str, body: Mapping[str, Any]) -> Deferred[None]:
        """Fires when `body` was taken; fails with PostError, or CancelledError."""
        posting = Deferred.fromCoroutine(self._post(url, orjson.dumps(body)))
        return posting.addTimeout(TIMEOUT, self._reactor, _late).addErrback(_explain)

    async def _post(self, url: str, body: bytes) -> None:
        response = await self._http.post(
            url,
            data=body,
            headers=Headers({"Content-Type": ["application/json"], "User-Agent": ["sjgateway"]}),
            allow_redirects=False,
            unbuffered=True,
            reactor=self._reactor,
        )
        response.deliverBody(_HangUp())
        if not 200 <= response.code < 300:
            raise PostError(
                f"answered {response.code}",
                response.code >= 500 or response.code in TEMPORARY,
                _retry_after(response),
            )


class _HangUp(Protocol):
    """Closes the connection: of an answer only the status matters."""

    transport: Any

    def connectionMade(self) -> None:
        self.transport.loseConnection()


def _retry_after(response: IResponse) -> float:
    """Seconds to wait, by the header Retry-After (RFC 9110, section 10.2.3); 0 without one."""
    (text,) = response.headers.getRawHeaders(b"Retry-After", [b""])[:1]
    return float(text) if re.fullmatch(rb"[0-9]{1,5}", text) else 0.0


def _authorities(path: Path) -> Any:
    try:
        found = _CERTIFICATE.findall(path.read_text(encoding="utf-8", errors="replace"))
        certificates = [Certificate.loadPEM(text.encode()) for text in found]
    except (OSError, crypto.Error) as error:
        raise ValueError(f"the certificates in {path} can't be read: {error}") from None
    if not certificates:
        raise ValueError(f"there is no certificate in {path}; it has to be in PEM format")
    return trustRootFromCertificates(certificates)


def _late(_: object, seconds: float) -> None:
    raise PostError(f"gave no answer within {seconds:g} s")


def _explain(failure: Failure) -> None:
    """Raise a PostError for every failure but CancelledError."""
    error: Any = failure.value
    while getattr(error, "reasons", None):  # twisted.web wraps what happened below it
        error = error.reasons[0].value
    if isinstance(error, (PostError, CancelledError)):
        raise error
    raise PostError(_reason(error))


def _reason(error: Exception) -> str:
    if isinstance(error, SSL.Error) and error.args and error.args[0]:
        *_, words = error.args[0][-1]
        return f"can't be trusted: {words}; a private authority is named with --alert-ca"
    if isinstance(error, VerificationError):
        return "can't be trusted: its certificate is for another name"
    return f"could not be reached: {error}"[:MAX_REASON] if str(error) else type(error).__name__


# -- One alert after the other to one receiver.

MAX_WAITING: Final = 50
"""Most alerts that wait for one receiver; then the oldest is dropped."""
MAX_TRIES: Final = 10
FIRST_PAUSE: Final = 2.0
"""Seconds to the second try.  Each pause is twice the one before it."""
LONGEST_PAUSE: Final = 600.0
"""Most seconds of a pause.  Up to half of each pause is random."""

RESULTS: Final = ("delivered", "failed", "lost")
"""Alerts that arrived, tries that did not, alerts that were given up."""

_log = Logger(namespace="gateway")


class Delivery:
    """Posts alerts to one receiver, in order, and tries again while that makes sense.

    `post(body)` fails with PostError; `random()` is from 0 to 1; `host` is named in the log.
    """

    def __init__(
        self,
        host: str,
        post: Callable[[Body], Deferred[None]],
        deadlines: Deadlines,
        random: Callable[[], float],
    ) -> None:
        self._host = host
        self._post = post
        self._deadlines = deadlines
        self._random = random
        self._waiting: deque[Body] = deque()
        self._present: Body | None = None
        self._tries = 0
        self._request: Deferred[None] | None = None
        self._retry: Deadline | None = None
        self.results = dict.fromkeys(RESULTS, 0)

    def send(self, body: Body) -> None:
        """Post `body` after all before it."""
        if len(self._waiting) == MAX_WAITING:
            self._waiting.popleft()
            self.results["lost"] += 1
        self._waiting.append(body)
        if self._present is None:
            self._next()

    def stop(self) -> None:
        """Try no more."""
        self._waiting.clear()
        if self._request is not None:
            self._request.cancel()
        if self._retry is not None:
            self._retry.cancel()

    def _next(self) -> None:
        self._present = self._waiting.popleft() if self._waiting else None
        self._tries = 0
        if self._present is not None:
            self._try()

    def _try(self) -> None:
        assert self._present is not None
        self._tries += 1
        self._request = self._post(self._present)
        self._request.addCallbacks(self._delivered, self._failed)
        self._request.addErrback(lambda failure: _log.failure("An alert is lost", failure))

    def _delivered(self, _: None) -> None:
        self._request = None
        self.results["delivered"] += 1
        self._next()

    def _failed(self, failure: Failure) -> None:
        self._request = None
        if failure.check(CancelledError):
            return
        failure.trap(PostError)
        error: PostError = failure.value  # type: ignore[assignment]  # trapped
        self.results["failed"] += 1
        if not error.retry or self._tries == MAX_TRIES:
            self.results["lost"] += 1
            self._say("The alert is given up: {host} {reason}", error)
            self._next()
            return
        pause = max(self._pause(), min(error.after, LONGEST_PAUSE))
        self._say("An alert waits: {host} {reason}; next try in {pause:.0f} s", error, pause)
        self._retry = self._deadlines.call_later(pause, self._try)

    def _pause(self) -> float:
        longest = min(FIRST_PAUSE * 2.0 ** (self._tries - 1), LONGEST_PAUSE)
        return longest * (1 - self._random() / 2)

    def _say(self, words: str, error: PostError, pause: float = 0.0) -> None:
        _log.warn(words, host=self._host, reason=error.reason, pause=pause)
