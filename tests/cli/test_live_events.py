"""Connections that come to nothing, and those that are lost, over real sockets."""

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import TestCase

from gateway.cli import live_events
from gateway.cli.address import Address
from gateway.cli.conversation import LostError, RefusedError
from gateway.cli.live_events import LiveEvents

REFUSED = (
    b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 62\r\n\r\n"
    b'{"code":4,"message":"Host is not allowed: use --allowed-hosts"}'
)


class Server(Protocol):
    """Says `factory.answer` when a request has come; None: it goes."""

    def dataReceived(self, data: bytes) -> None:
        if self.factory.answer is None:
            self.transport.loseConnection()
        else:
            self.transport.write(self.factory.answer)


class Watcher:
    """Hears nothing: no server here lets anybody in."""


class StreamTests(TestCase):
    def setUp(self) -> None:
        self.factory = Factory.forProtocol(Server)
        self.factory.answer = None
        port = reactor.listenTCP(0, self.factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.address = Address("127.0.0.1", port.getHost().port, is_tls=False)

    async def fails(self, kind: type[Exception]) -> str:
        """Why nothing can be heard."""
        running = Deferred.fromCoroutine(LiveEvents(reactor, self.address, {}, Watcher()).run())
        return str(await self.assertFailure(running, kind))

    async def test_a_refused_handshake_has_the_gateways_reason(self) -> None:
        self.factory.answer = REFUSED
        self.assertEqual(
            await self.fails(RefusedError),
            "it answered 403 Forbidden: Host is not allowed: use --allowed-hosts",
        )

    async def test_what_is_no_gateway_is_said_to_be_none(self) -> None:
        self.factory.answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        self.assertEqual(await self.fails(RefusedError), "it answered 404 Not Found")

    async def test_a_gateway_that_is_stopping(self) -> None:
        self.factory.answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
        self.assertEqual(await self.fails(LostError), "it answered 503 Service Unavailable")

    async def test_a_connection_that_is_closed(self) -> None:
        self.assertIn("Connection was closed cleanly", await self.fails(LostError))

    async def test_a_gateway_that_says_nothing(self) -> None:
        self.factory.answer = b""
        self.patch(live_events, "TIMEOUT", 0.05)
        self.assertEqual(await self.fails(LostError), "it says nothing any more")

    async def test_nobody_is_there(self) -> None:
        self.address = Address("127.0.0.1", 1, is_tls=False)
        self.assertEqual(await self.fails(LostError), "Connection refused")

    async def test_a_port_without_tls(self) -> None:
        self.factory.answer = b"HTTP/1.1 400 Bad Request\r\n\r\n"
        self.address = Address("127.0.0.1", self.address.port, is_tls=True)
        self.assertRegex(await self.fails(LostError), "^TLS: .*version number$")
