"""Connects a conversation to a gateway by WebSocket, again and again.

The first connection must succeed.  One that is lost later is made again, at first after half a
second and then more and more slowly, whether the network or the gateway was away.
"""

from __future__ import annotations

import os
import random
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from OpenSSL.SSL import Error as TLSError
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError
from twisted.internet.protocol import connectionDone
from twisted.internet.ssl import optionsForClientTLS
from twisted.internet.task import deferLater

from gateway.cli.conversation import LEAVE, Conversation, Listener, LostError, Place, RefusedError
from gateway.common.silent_logger import SilentLogger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.python.failure import Failure

    from gateway.cli.address import Address

TIMEOUT = 10.0
"""Seconds for a connection, and for the answer to its handshake."""
FIRST, LAST = 0.5, 15.0
"""Seconds before another connection is tried; the pause doubles."""
LARGEST = 64 << 20
"""Bytes of a message."""
HEAD = 4096
"""Bytes of an answer to the handshake in which the reason of a refusal is looked for."""


class Watcher(Listener, Protocol):
    """Who hears the events, and that the connection was lost."""

    def lost(self, reason: str) -> None:
        """The connection is gone; another one will be tried."""
        ...


class LiveEvents:
    """The events of the gateway at `address`.

    `auth`: what it asks for.  `watcher` hears the events of one connection after the other.
    """

    def __init__(
        self, reactor: Any, address: Address, auth: dict[str, Any], watcher: Watcher
    ) -> None:
        self._reactor = reactor
        self._auth = auth
        self._watcher = watcher
        self._place = Place()
        self._endpoint = _endpoint(reactor, address)
        self._factory = WebSocketClientFactory(address.websocket, reactor=reactor)
        self._factory.setProtocolOptions(
            openHandshakeTimeout=0,  # `_WebSocket` has its own, and says so
            closeHandshakeTimeout=1,
            maxMessagePayloadSize=LARGEST,
            maxFramePayloadSize=LARGEST,
        )
        self._factory.protocol = partial(_WebSocket, reactor, self._converse)  # type: ignore[assignment]
        self._present: Any = None
        self._joined = False

    async def run(self) -> None:
        """Hear events without end.  Raises RefusedError, or LostError for the first connection."""
        pause = FIRST
        while True:
            try:
                await self._hear()
            except LostError as error:
                if self._place.pid is None:
                    raise
                if self._joined:
                    pause = FIRST
                    self._watcher.lost(str(error))
            await deferLater(self._reactor, pause * random.uniform(0.8, 1.2))  # noqa: S311
            pause = min(2 * pause, LAST)

    def leave(self) -> Deferred[None] | None:
        """Say good-bye, so that the gateway keeps nothing for us; fires when that is done."""
        return None if self._present is None else self._present.leave()

    async def _hear(self) -> None:
        """One connection, from its beginning to its end, which is a RefusedError or LostError."""
        self._joined = False
        try:
            self._present = await self._endpoint.connect(self._factory)
        except Exception as error:  # of the resolver, the network, TLS, ...
            raise LostError(_reason(error)) from error
        try:
            await self._present.gone
        finally:
            self._present = None

    def _converse(self, send: Callable[[str], None]) -> Conversation:
        return Conversation(self._auth, self._place, self, send)

    # -- what the conversation tells ---------------------------------------------------

    def joined(self, *, recovered: bool) -> None:
        self._joined = True
        self._watcher.joined(recovered=recovered)

    def heard(self, payload: bytes, attachments: Sequence[bytes]) -> None:
        self._watcher.heard(payload, attachments)


class _WebSocket(WebSocketClientProtocol):
    """One connection; `gone` fails with RefusedError or LostError when it ends."""

    log = SilentLogger()
    transport: Any

    def __init__(
        self, reactor: Any, converse: Callable[[Callable[[str], None]], Conversation]
    ) -> None:
        super().__init__()
        self.gone: Deferred[None] = Deferred()
        self._reactor = reactor
        self._conversation = converse(self.say)
        self._why: Exception | None = None
        self._head = b""
        self._leaving: Deferred[None] | None = None
        self._silence = reactor.callLater(TIMEOUT, self._silent)

    def leave(self) -> Deferred[None]:
        self._leaving = Deferred()
        if self.state == self.STATE_OPEN:
            self.say(LEAVE)
            self.sendClose(1000)
        else:
            self.transport.abortConnection()
        return self._leaving

    def dataReceived(self, data: bytes) -> None:
        if self.state == self.STATE_CONNECTING and len(self._head) < HEAD:
            self._head += data
        super().dataReceived(data)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self._why is not None or self._leaving is not None:
            return
        try:
            self._conversation.receive(payload, binary=isBinary)
        except (RefusedError, LostError) as error:
            self._end(error)
        else:
            self._silence.reset(self._conversation.patience)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        if self._silence.active():
            self._silence.cancel()
        if self._leaving is not None:
            self._leaving.callback(None)
            return
        closed = _closed(self.remoteCloseCode, self.remoteCloseReason) or _reason(reason.value)
        self.gone.errback(self._why or _refusal(self._head) or LostError(closed))

    def say(self, text: str) -> None:
        self.sendMessage(text.encode())

    def _silent(self) -> None:
        self._end(LostError("it says nothing any more"))

    def _end(self, why: Exception) -> None:
        self._why = why
        self.transport.abortConnection()


def _endpoint(reactor: Any, address: Address) -> Any:
    endpoint: Any = HostnameEndpoint(reactor, address.host, address.port, timeout=TIMEOUT)
    if address.is_tls:
        return wrapClientTLS(optionsForClientTLS(address.host), endpoint)
    return endpoint


def _refusal(head: bytes) -> Exception | None:
    """What the answer to a handshake says that is no WebSocket; None: it was one, or none came.

    403 and 404 stay as they are however often one asks.
    """
    line, _, rest = head.partition(b"\r\n")
    parts = line.split(maxsplit=2)
    if len(parts) < 2 or not line.startswith(b"HTTP/1.") or parts[1] == b"101":
        return None
    body = rest.partition(b"\r\n\r\n")[2]
    try:
        message = f": {orjson.loads(body)['message']}"
    except (ValueError, KeyError, TypeError):
        message = ""
    text = f"it answered {b' '.join(parts[1:]).decode('latin-1')}{message}"
    final = parts[1] in (b"403", b"404")
    return RefusedError(text) if final else LostError(text)


def _closed(code: int | None, reason: str | None) -> str | None:
    """How the gateway closed the WebSocket; None: it did not."""
    if code is None:
        return None
    return f"it closed the connection ({code}{f': {reason}' if reason else ''})"


def _reason(error: BaseException | None) -> str:
    """Why there is no connection."""
    if isinstance(error, TLSError):
        reasons = error.args[0] if error.args and isinstance(error.args[0], list) else []
        text = ", ".join(str(each[-1]) for each in reasons if each) or str(error)
        hint = "; SSL_CERT_FILE=FILE names whom to trust" if "verify failed" in text else ""
        return f"TLS: {text}{hint}"
    if isinstance(error, ConnectError) and isinstance(error.osError, int):
        return os.strerror(error.osError)
    return f"{error}".rstrip(".") or type(error).__name__
