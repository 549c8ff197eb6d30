"""Engine.IO over twisted.web: one resource for polling, and for asking for a WebSocket."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import orjson
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from gateway.engineio.errors import BAD_REQUEST, EngineError
from gateway.engineio.forms import OCTET_STREAM, TEXT_PLAIN
from gateway.engineio.handshake import Peer, parse_query
from gateway.web.polling import PendingGet
from gateway.web.upgrade import UpgradeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twisted.web.server import Request

    from gateway.engineio.server import Server
    from gateway.engineio.websocket import WebSocketChannel, WebSocketSink

    Connect = Callable[[WebSocketSink], WebSocketChannel]


def peer_of(request: Request) -> Peer:
    """Who is at the other end of the request's connection."""
    return Peer(*_address(request.getClientAddress()), _address(request.getHost()))


def _address(address: object) -> tuple[str, int]:
    return getattr(address, "host", ""), getattr(address, "port", 0)


class EngineResource(Resource):
    """Answers whatever is asked below its path.

    `upgrade(request, connect)` makes the request a WebSocket and calls `connect(sink)`,
    or raises `UpgradeError`.  Headers that are set already (CORS) stay; preflight
    requests are not for here.
    """

    isLeaf = True
    _log = Logger()

    def __init__(
        self,
        server: Server,
        upgrade: Callable[[Request, Connect], None],
        *,
        peer: Callable[[Request], Peer] = peer_of,
    ) -> None:
        super().__init__()
        self._server = server
        self._upgrade = upgrade
        self._peer = peer

    def render(self, request: Request) -> bytes | int:
        request.setHeader("cache-control", "no-store")
        try:
            return self._render(request)
        except EngineError as error:
            if error.status == 405:
                request.setHeader("allow", "GET, POST")
            return _error(request, error.status, error.body)
        except UpgradeError as error:
            for name, value in error.headers.items():
                request.setHeader(name.replace("_", "-"), value)
            return _error(request, error.status, EngineError(BAD_REQUEST, str(error)).body)
        except Exception:
            self._log.failure("[Gateway] An Engine.IO request failed")
            return _error(request, 500, orjson.dumps({"message": "Internal server error"}))

    def _render(self, request: Request) -> bytes | int:
        method = request.method.decode("latin-1")
        query = parse_query(request.uri.partition(b"?")[2])
        wants_websocket = _asks_for_websocket(request)
        session = self._server.verify(method, query, upgrade=wants_websocket)
        if wants_websocket:
            self._upgrade(request, partial(self._server.websocket, query, self._peer(request)))
            return NOT_DONE_YET
        if session is not None and method == "POST":
            assert request.content is not None, "the request is complete"
            peer = self._peer(request)
            self._server.post(session, peer, request.content.read(), binary=_is_binary(request))
            request.setHeader("content-type", TEXT_PLAIN)
            return b"ok"
        return self._get(request, query)

    def _get(self, request: Request, query: Mapping[str, str]) -> int:
        poll = PendingGet(request)
        channel = self._server.poll(query, self._peer(request), poll)
        poll.watch(channel.lost)
        return NOT_DONE_YET


def _asks_for_websocket(request: Request) -> bool:
    header = b",".join(request.requestHeaders.getRawHeaders(b"upgrade", ()))
    return b"websocket" in [token.strip() for token in header.lower().split(b",")]


def _is_binary(request: Request) -> bool:
    content_type = request.getHeader("content-type") or ""
    return content_type.partition(";")[0].strip().lower() == OCTET_STREAM


def _error(request: Request, status: int, body: bytes) -> bytes:
    request.setResponseCode(status)
    request.setHeader("content-type", "application/json")
    return body
