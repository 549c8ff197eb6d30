"""Posts one alert over verified HTTPS, or to this machine over HTTP.

No redirect is followed, and every wait has an end.

Imported only where alerts are sent: an HTTP client is much code.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import orjson
from OpenSSL import SSL, crypto
from service_identity import VerificationError
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Protocol
from twisted.internet.ssl import Certificate, trustRootFromCertificates
from twisted.web.client import Agent, BrowserLikePolicyForHTTPS, HTTPConnectionPool
from twisted.web.http_headers import Headers

from gateway.ops.alerts.delivery import PostError

if TYPE_CHECKING:
    from pathlib import Path

    from twisted.python.failure import Failure
    from twisted.web.iweb import IResponse

    from gateway.ops.alerts.receivers import Post

TIMEOUT: Final = 10.0
"""Seconds from the look-up of the name to the status of the answer."""
TEMPORARY: Final = frozenset((408, 425, 429))
"""Statuses below 500 after which another try makes sense."""
HEADERS: Final = {"Content-Type": "application/json", "User-Agent": "sjgateway"}
MAX_REASON: Final = 200
"""Characters of a reason."""

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class WebhookClient:
    """Posts JSON; trusts only the authorities in `ca_file`, or the system's without one.

    Raises ValueError when the file has none.
    """

    def __init__(self, reactor: Any, ca_file: Path | None) -> None:
        self._reactor = reactor
        agent = Agent(
            reactor,
            BrowserLikePolicyForHTTPS(None if ca_file is None else authorities(ca_file)),
            pool=HTTPConnectionPool(reactor, persistent=False),
        )
        self._http = HTTPClient(agent)  # type: ignore[arg-type]  # an IAgent, by zope

    def post(self, post: Post) -> Deferred[None]:
        """Fires when `post` was taken; fails with PostError, or CancelledError."""
        posting = Deferred.fromCoroutine(self._post(post, orjson.dumps(post.body)))
        return posting.addTimeout(TIMEOUT, self._reactor, late).addErrback(explain)

    async def _post(self, post: Post, body: bytes) -> None:
        given = {**HEADERS, **post.headers}
        response = await self._http.post(
            post.url,
            data=body,
            headers=Headers({name: [value] for name, value in given.items()}),
            allow_redirects=False,
            unbuffered=True,
            reactor=self._reactor,
        )
        response.deliverBody(_HangUp())
        if not 200 <= response.code < 300 and response.code not in post.arrived:
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


def authorities(path: Path) -> Any:
    """The trust root of the certificates in the file `path`.  Raises ValueError."""
    try:
        found = _CERTIFICATE.findall(path.read_text(encoding="utf-8", errors="replace"))
        certificates = [Certificate.loadPEM(text.encode()) for text in found]
    except (OSError, crypto.Error) as error:
        raise ValueError(f"the certificates in {path} can't be read: {error}") from None
    if not certificates:
        raise ValueError(f"there is no certificate in {path}; it has to be in PEM format")
    return trustRootFromCertificates(certificates)


def late(_: object, seconds: float) -> None:
    """Raise PostError after so many seconds; for `Deferred.addTimeout`."""
    raise PostError(f"gave no answer within {seconds:g} s")


def explain(failure: Failure) -> None:
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
