"""Engine.IO over twisted.web: polling, and requests for a WebSocket."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, cast

import orjson
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from gateway.common.rate import Throttle
from gateway.engineio.errors import BAD_REQUEST, EngineError
from gateway.engineio.forms import OCTET_STREAM, TEXT_PLAIN
from gateway.engineio.handshake import NOTHING, OLD_VERSION, Peer, parse_query, refusal
from gateway.engineio.polling import PollingChannel
from gateway.web.http.counting import ends, socket_ends
from gateway.web.http.gzip import Compressor, accepts
from gateway.web.http.request import Request as StrictRequest
from gateway.web.routes.polls import Answers, KnownPoll, PendingGet, PendingPost
from gateway.web.security.guard import bearer
from gateway.web.security.proxies import is_passed_on
from gateway.web.websocket.allowance import Allowance, Pace
from gateway.web.websocket.upgrade import UpgradeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twisted.web.server import Request

    from gateway.engineio.server import Server
    from gateway.engineio.session import Session
    from gateway.engineio.upload import Upload
    from gateway.engineio.websocket import WebSocketChannel, WebSocketSink
    from gateway.web.http.upgrade_request import UpgradeRequest

    Connect = Callable[[WebSocketSink], WebSocketChannel]

TOKEN = "token"  # noqa: S105  # the name of a parameter
"""The query parameter of a handshake that holds a token; a Bearer token counts as one too."""


def peer_of(request: Request) -> Peer:
    """The ends of the request's connection, and the client that a proxy names."""
    channel = request.channel
    if getattr(channel, "is_bare", False):  # then it has asked the socket already
        ours, theirs = ends(channel.getHost(), channel.getPeer())
    else:
        ours, theirs = socket_ends(channel.transport)
    client = getattr(request, "announced", "") or getattr(request.client, "host", "")
    announced = "" if client == theirs[0] else client
    return Peer(*theirs, ours, announced, is_passed_on(request.requestHeaders))


def all_headers(request: Request) -> dict[str, str]:
    """The headers of `request` by their names in lower case."""
    return {
        name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
        for name, values in request.requestHeaders.getAllRawHeaders()
    }


def _no_headers(_: Request) -> Mapping[str, str]:
    return NOTHING


class EngineResource(Resource):
    """Answers all requests below its path; preflight requests must be answered before.

    `upgrade(request, connect)` makes the request a WebSocket and calls `connect(sink)`,
    or raises `UpgradeError`.  `allowance`: what polling clients may send.
    `headers(request)`: the headers of a handshake that the application gets, such as
    `all_headers`; by default none.  `too_old(peer)` is called for a client of Engine.IO 3.
    """

    isLeaf = True
    _log = Logger()

    def __init__(
        self,
        server: Server,
        upgrade: Callable[[Request, Connect], None],
        *,
        allowance: Allowance | None = None,
        peer: Callable[[Request], Peer] = peer_of,
        headers: Callable[[Request], Mapping[str, str]] = _no_headers,
        clock: Callable[[], float] = time.monotonic,
        too_old: Callable[[Peer], object] | None = None,
    ) -> None:
        super().__init__()
        self._server = server
        self._upgrade = upgrade
        self._peer = peer
        self._too_old = too_old
        self._headers = headers
        call_soon = partial(server.deadlines.call_later, 0)
        self._compress = Compressor(call_soon)
        self._answers = Answers(self._compress, call_soon)
        allowance = allowance or Allowance(max_payload=server.settings.max_payload)
        self._pace = Pace(allowance)
        self._may_tell = Throttle(clock)

    def render(self, request: Request) -> bytes | int:
        """The answer, or NOT_DONE_YET."""
        return self._answer(request, partial(self._render, request))

    def upgrade(self, asked: UpgradeRequest) -> bool:
        """Make a WebSocket of what was asked; False: nothing was done, and `render` tells why."""
        request = cast("Request", asked)  # it has all that is needed before an answer
        if not _asks_for_websocket(request):
            return False
        try:
            self._connect(request, *self._verify(request, upgrade=True)[1:])
        except Exception:
            return False
        return True

    def _answer(self, request: Request, step: Callable[[], bytes | int]) -> bytes | int:
        """What `step` returns; if it raises an `EngineError`, the answer that says so."""
        try:
            return step()
        except EngineError as error:
            if error.status == 405:
                request.setHeader("allow", "GET, POST")
            if str(error) == OLD_VERSION and self._too_old is not None:
                self._too_old(self._peer(request))
            if str(error) == OLD_VERSION and self._may_tell():
                self._log.warn(
                    "Refused a client at {peer} that speaks Engine.IO 3, as socket.io-client 2"
                    " and python-socketio 4 do: --eio3 lets it in",
                    tag="Socket",
                    peer=str(self._peer(request)),
                )
            body = refusal(error, request.getHeader("user-agent") or "")
            return _error(request, error.status, body)
        except UpgradeError as error:
            for name, value in error.headers.items():
                request.setHeader(name.replace("_", "-"), value)
            return _error(request, error.status, EngineError(BAD_REQUEST, str(error)).body)
        except Exception:
            self._log.failure("An Engine.IO request failed")
            return _error(request, 500, orjson.dumps({"message": "Internal server error"}))

    def _verify(
        self, request: Request, *, upgrade: bool
    ) -> tuple[Session | None, dict[str, str], Peer]:
        """The session that `request` is for, its query, and its ends; None: it opens one."""
        query = parse_query(request.uri.partition(b"?")[2])
        if not query.get(TOKEN) and (secret := bearer(request.requestHeaders)):
            query[TOKEN] = secret
        session = self._server.verify(request.method.decode("latin-1"), query, upgrade=upgrade)
        peer = self._peer(request)
        if session is None:
            self._server.admit(peer)
        return session, query, peer

    def _connect(self, request: Request, query: Mapping[str, str], peer: Peer) -> None:
        headers = self._headers(request)
        self._upgrade(request, partial(self._server.websocket, query, peer, headers=headers))

    def _render(self, request: Request) -> bytes | int:
        wants_websocket = _asks_for_websocket(request)
        session, query, peer = self._verify(request, upgrade=wants_websocket)
        if wants_websocket:
            self._connect(request, query, peer)
            return NOT_DONE_YET
        if session is not None and request.method == b"POST":
            return self._post(request, session, peer)
        if session is not None and isinstance(request, StrictRequest):
            self._remember(request, session)
        return self._get(request, query, peer)

    def _remember(self, request: StrictRequest, session: Session) -> None:
        """Let the same GET be answered without being parsed and verified again."""
        channel = session.channel
        if isinstance(channel, PollingChannel):
            gzip = accepts(request.getHeader("accept-encoding") or "")
            request.remember(
                KnownPoll(request.channel, channel, self._answers, request.verdict_lines, gzip)
            )

    def _post(self, request: Request, session: Session, peer: Peer) -> bytes | int:
        assert request.content is not None, "the request is complete"
        _keep_out_of_caches(request)
        body, binary = request.content.read(), _is_binary(request)
        upload = self._server.post(session, peer, body, binary=binary)
        receive = partial(self._pace.receive, upload, session)
        return self._receive(request, upload, receive, None)

    def _receive(
        self,
        request: Request,
        upload: Upload,
        receive: Callable[[], float],
        pending: PendingPost | None,
    ) -> bytes | int:
        """Receive a slice of a POST, and the rest in later turns; the answer comes after that."""
        delay = receive()
        if upload.done and not delay:
            request.setHeader("content-type", TEXT_PLAIN)
            return b"ok"
        pending = pending or PendingPost(request)
        rest = partial(self._receive, request, upload, receive, pending)
        self._server.deadlines.call_later(delay, partial(self._go_on, request, rest, pending))
        return NOT_DONE_YET

    def _go_on(
        self, request: Request, rest: Callable[[], bytes | int], pending: PendingPost
    ) -> None:
        answer = self._answer(request, rest)
        if isinstance(answer, bytes):
            pending.answer(answer)

    def _get(self, request: Request, query: Mapping[str, str], peer: Peer) -> int:
        _keep_out_of_caches(request)
        poll = PendingGet(request, self._compress)
        agent = request.getHeader("user-agent") or ""
        headers = NOTHING if "sid" in query else self._headers(request)
        channel = self._server.poll(query, peer, poll, agent=agent, headers=headers)
        poll.watch(channel.lost)
        return NOT_DONE_YET


def _keep_out_of_caches(request: Request) -> None:
    """Let no cache keep the answer; a WebSocket's needs no word about that."""
    request.setHeader("cache-control", "no-store")


def _asks_for_websocket(request: Request) -> bool:
    header = b",".join(request.requestHeaders.getRawHeaders(b"upgrade", ()))
    return b"websocket" in [token.strip() for token in header.lower().split(b",")]


def _is_binary(request: Request) -> bool:
    content_type = request.getHeader("content-type") or ""
    return content_type.partition(";")[0].strip().lower() == OCTET_STREAM


def _error(request: Request, status: int, body: bytes) -> bytes:
    request.setResponseCode(status)
    _keep_out_of_caches(request)
    request.setHeader("content-type", "application/json")
    return body
