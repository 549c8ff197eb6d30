"""The site: the guard judges each request, then the mount at its path answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import partial
from http import HTTPStatus
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import orjson
from twisted.logger import Logger
from twisted.web import server
from twisted.web.error import UnsupportedMethod
from twisted.web.http import datetimeToString
from twisted.web.resource import Resource

from gateway.common.rate import MINUTE, LeakyBucket, ThrottleEach
from gateway.engineio.errors import BAD_REQUEST, FORBIDDEN, EngineError
from gateway.engineio.handshake import refusal
from gateway.web.http.audit import REFUSED, Audit
from gateway.web.http.known_channel import KnownChannel
from gateway.web.http.limits import Expiry, Limits, Turns
from gateway.web.http.request import Request, problem
from gateway.web.security.guard import TOO_MANY, Access, bearer
from gateway.web.security.tokens import WrongTokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twisted.internet.interfaces import IAddress, IReactorTime

    from gateway.web.http.limits import Timer
    from gateway.web.http.upgrade_request import UpgradeRequest
    from gateway.web.security.guard import Guard, Verdict

MOST_TOLD = 100
"""Characters of a path, a host or an origin in a log line."""
REFUSALS = 20
"""Log lines in a minute about control actions that were refused."""

NO_TOKEN, WRONG_TOKEN, WEAK_TOKEN = "token_missing", "token_wrong", "token_weak"
"""The `code` of a 401: no token came, none of ours, or one that may not do this."""

_log = Logger(namespace="gateway")


class Mount(NamedTuple):
    """What answers at a path, and what must be known before a request's body comes.

    `render` returns the whole answer, or NOT_DONE_YET.  `body_limit`: bytes of a request's
    body; None: `Limits.body`.  Another method than `methods` is answered with 405; where they
    are empty, `render` decides.
    `upgrade` makes a WebSocket of a request that was let in, and says whether it did; None: there
    are none at this path.
    """

    render: Callable[[Request], bytes | int]
    access: Access = Access.OPEN
    body_limit: int | None = None
    methods: tuple[bytes, ...] = ()
    upgrade: Callable[[UpgradeRequest], bool] | None = None


def make_site(
    reactor: Timer,
    guard: Guard,
    mounts: Mapping[bytes, Mount],
    *,
    engine: Mount | None = None,
    engine_path: bytes = b"/socket.io/",
    more_engine_paths: Sequence[bytes] = (),
    limits: Limits | None = None,
    now: Callable[[], float] = time,
    wrong_tokens: WrongTokens | None = None,
) -> Site:
    """The factory to listen with, on any number of ports.

    `mounts`: by exact path.  `engine` answers at every path that begins with `engine_path` or
    one of `more_engine_paths`.  `now`: seconds since 1970.
    `wrong_tokens` counts the requests that bring one.
    """
    root = Root(
        guard,
        mounts,
        engine,
        (engine_path, *more_engine_paths),
        timer=reactor,
        wrong_tokens=wrong_tokens,
    )
    return Site(reactor, root, limits or Limits(), now)


class Site(server.Site):
    """Builds a `KnownChannel` for each connection and holds what they share."""

    resource: Root

    def __init__(
        self, reactor: Timer, root: Root, limits: Limits, now: Callable[[], float]
    ) -> None:
        super().__init__(
            root,
            Request,
            reactor=cast("IReactorTime", reactor),
            parsePOSTFormSubmission=False,  # it parses whatever is posted, before the guard
        )
        self._now = now
        self.audit = Audit(now)
        self.limits = limits
        self.expiry = Expiry(reactor)
        self.turns = Turns(reactor)
        self.seconds = limits.seconds
        self._date = (0, b"")

    def buildProtocol(self, addr: IAddress | None) -> KnownChannel:  # type: ignore[override]  # h1 only
        channel = KnownChannel()
        channel.factory = channel.site = self
        return channel

    def startFactory(self) -> None:
        """Nothing: Twisted's own starts a timer for its access log."""

    def stopFactory(self) -> None:
        self.expiry.stop()
        self.turns.stop()

    def log(self, request: Any) -> None:
        """Nothing: there is no access log; a URL may hold a secret."""

    def acceptableProtocols(self) -> list[bytes]:
        return [b"http/1.1"]

    def date_line(self) -> bytes:
        """The Date header line of this second."""
        now = int(self._now())
        if now != self._date[0]:
            self._date = (now, b"Date: %s\r\n" % datetimeToString(now))
        return self._date[1]

    def body_limit(self, path: bytes) -> int:
        """The bytes that the body of a request for `path` may have; `path` may have a query."""
        mount = self.resource.find(path.partition(b"?")[0])
        if mount is None or mount.body_limit is None:
            return self.limits.body
        return mount.body_limit

    def rejection(self, path: bytes, status: int, agent: str) -> bytes:
        """The body of an error for a request that is refused before its path is asked.

        `agent`: its User-Agent.
        """
        phrase = HTTPStatus(status).phrase
        if self.resource.is_engine(self.resource.find(path.partition(b"?")[0])):
            return refusal(EngineError(BAD_REQUEST, phrase, status=status), agent)
        return orjson.dumps(problem(phrase))

    def cors(self, request: Request, path: bytes) -> bytes:
        """The header lines that let the page that sent `request` read the error."""
        mount = self.resource.find(path.partition(b"?")[0])
        return self.resource.judge(request, mount, Access.OPEN, b"GET").lines


class Root(Resource):
    """Lets the guard judge every request, then hands it to the mount at its path."""

    isLeaf = True

    def __init__(
        self,
        guard: Guard,
        mounts: Mapping[bytes, Mount],
        engine: Mount | None,
        engine_paths: Sequence[bytes],
        *,
        timer: Timer,
        wrong_tokens: WrongTokens | None,
    ) -> None:
        super().__init__()
        self._timer = timer
        self._wrong_tokens = wrong_tokens or WrongTokens(timer.seconds)
        self.guard = guard
        self._proxies = guard.proxies
        self._mounts = dict(mounts)
        self._engine = engine
        self._engine_paths = tuple(engine_paths)
        self._may_tell: dict[str, ThrottleEach] = defaultdict(partial(ThrottleEach, timer.seconds))
        self._audited = LeakyBucket(REFUSALS / MINUTE, timer.seconds)
        self.refused: Counter[int] = Counter()
        """Requests that the guard refused, by status."""

    def find(self, path: bytes) -> Mount | None:
        """The mount at `path`, which is compared as it was sent, without decoding."""
        mount = self._mounts.get(path)
        if mount is None and self._engine is not None and path.startswith(self._engine_paths):
            return self._engine
        return mount

    def is_engine(self, mount: Mount | None) -> bool:
        """Whether `mount` is Engine.IO's, whose errors have a form of their own."""
        return mount is not None and mount is self._engine

    def judge(
        self, request: Request | UpgradeRequest, mount: Mount | None, access: Access, method: bytes
    ) -> Verdict:
        """The guard's verdict on `request`, which is for `mount`."""
        is_engine = self.is_engine(mount)
        return self.guard.judge(
            access,
            method,
            request.requestHeaders,
            request.peer,
            secure=request.channel.is_secure,
            credentials=is_engine,
            acts=is_engine,
        )

    def render(self, request: Request) -> bytes | int:
        mount = self.find(request.path)
        access = mount.access if mount is not None else Access.OPEN
        verdict = self.judge(request, mount, access, request.method)
        if self._proxies.some:
            request.announced = self._proxies.announced(request.requestHeaders, request.peer)
            if request.announced and not request.channel.lend(request.announced):
                verdict = TOO_MANY._replace(lines=verdict.lines)
        elif access is Access.OPEN:  # of another one, a token may expire
            request.revision = self.guard.revision
        if access is Access.CONTROL:
            request.who = self.guard.who(request.requestHeaders, request.peer)
        request.verdict_lines = verdict.lines
        if verdict.status:
            if verdict.status == HTTPStatus.NO_CONTENT:
                request.setResponseCode(HTTPStatus.NO_CONTENT)
                return b""
            self.refused[verdict.status] += 1
            lack = self._lack(request, verdict)
            is_wrong = lack == WRONG_TOKEN
            if verdict.header:
                self._tell(request, verdict)
            elif request.who and self._audited.add(REFUSALS) <= REFUSALS:
                request.site.audit(request, REFUSED, "wrong token" if is_wrong else "")
            body = _refuse(request, verdict, engine=self.is_engine(mount), lack=lack)
            delay = self._strike(request) if is_wrong else 0.0
            if not delay:
                return body
            request.answer_later(self._timer, delay, body)
            return server.NOT_DONE_YET
        if mount is None:
            return request.problem(HTTPStatus.NOT_FOUND, "Not found")
        if mount.methods and request.method not in mount.methods:
            raise UnsupportedMethod(mount.methods)
        return mount.render(request)

    def upgrade(self, request: UpgradeRequest) -> bool:
        """Make a WebSocket of `request`; False: it needs an answer, or a proxy names its client."""
        mount = self.find(request.path)
        if mount is None or mount.upgrade is None or self._proxies.some:
            return False
        verdict = self.judge(request, mount, mount.access, request.method)
        return not verdict.status and mount.upgrade(request)

    def _tell(self, request: Request, verdict: Verdict) -> None:
        """Log what was refused: the user may need an option."""
        value = verdict.value[:MOST_TOLD]
        is_new, more = self._may_tell[verdict.header](value)
        if more:
            _log.warn(
                "{more} more requests were refused by their {header} before: too many values for"
                " a line each",
                more=more,
                header=verdict.header,
            )
        if is_new:
            _log.warn(
                "Refused a request from {peer} by its {header}{value}: {reason}",
                peer=request.address or "a UNIX socket",
                header=verdict.header,
                value=f" {value}" if value else "",
                reason=verdict.reason,
            )

    def _lack(self, request: Request, verdict: Verdict) -> str:
        """What is wrong with the token of a request that is refused for that; else ""."""
        if verdict.status != HTTPStatus.UNAUTHORIZED:
            return ""
        secret = bearer(request.requestHeaders)
        if self.guard.is_wrong(secret):
            return WRONG_TOKEN
        return NO_TOKEN if self.guard.token(secret) is None else WEAK_TOKEN

    def _strike(self, request: Request) -> float:
        """The seconds that the answer to a wrong token waits."""
        client = request.address
        return self._wrong_tokens.add(client, request.path.decode("latin-1")[:MOST_TOLD])


def _refuse(request: Request, verdict: Verdict, *, engine: bool, lack: str) -> bytes:
    if engine and verdict.status != HTTPStatus.TOO_MANY_REQUESTS:
        return request.encoded(
            HTTPStatus.FORBIDDEN, EngineError(FORBIDDEN, verdict.reason or None).body
        )
    told = problem(HTTPStatus(verdict.status).phrase, verdict.reason)
    if verdict.status == HTTPStatus.UNAUTHORIZED:
        request.setHeader(b"WWW-Authenticate", b"Bearer")
        told["code"] = lack
    return request.json(verdict.status, told)
