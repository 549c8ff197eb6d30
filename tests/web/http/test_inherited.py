"""Listening sockets that a hand-over keeps open, in one process: old listeners, then new ones."""

import os
import socket
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from OpenSSL.SSL import TLS_METHOD, Context
from twisted.internet.defer import ensureDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, UNIXClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from gateway.web.http.counting import Caps
from gateway.web.http.held import VARIABLE, Held
from gateway.web.http.inherited import Inherited
from gateway.web.http.listen import Listeners
from gateway.web.http.listen_plan import ListenAddress, plan
from tests.web.certificates import write_certificate
from tests.web.http.test_listen import GET, ListenTestCase


@implementer(IOpenSSLClientConnectionCreator)
class Trusting:
    """A client that takes any certificate."""

    def clientConnectionForTLS(self, tlsProtocol: Any) -> Any:
        from OpenSSL.SSL import Connection

        return Connection(Context(TLS_METHOD), None)


class VariableTests(SynchronousTestCase):
    def told(self, text: str) -> Held:
        return Held.told({VARIABLE: text})

    def test_what_is_written_is_read(self) -> None:
        held = Held(os.getpid(), (("tcp:1:interface=\\:\\:1", 7), ("127.0.0.1", 8)))
        self.assertEqual(self.told(held.text), held)
        self.assertTrue(held.is_ours)
        self.assertEqual(held.places, {"tcp:1:interface=\\:\\:1", "127.0.0.1"})
        self.assertTrue(Held(os.getppid()).is_our_parents)

    def test_what_is_none_of_ours_says_nothing(self) -> None:
        for text in ("", "nonsense", "[]", '{"pid": "x"}', '{"pid": 1, "sockets": [1]}'):
            self.assertEqual(self.told(text), Held(0))
        self.assertEqual(Held.told({}), Held(0))
        self.assertFalse(Held(0).is_ours or Held(0).is_our_parents)

    def test_no_child_sees_the_variable_or_holds_the_sockets(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        listener.set_inheritable(True)
        environ = {VARIABLE: Held(os.getpid(), (("a", listener.fileno()),)).text}
        inherited = Inherited.taken_from(environ)
        self.assertEqual(environ, {})
        self.assertFalse(listener.get_inheritable())
        self.assertEqual(inherited.take("a"), listener.fileno())
        self.assertIsNone(inherited.take("a"))

    def test_another_processs_are_not_taken(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        environ = {VARIABLE: Held(os.getppid(), (("a", listener.fileno()),)).text}
        self.assertIsNone(Inherited.taken_from(environ).take("a"))

    def test_what_is_no_listening_socket_is_left_alone(self) -> None:
        read, write = os.pipe()
        connected, other = socket.socketpair()
        for close in (lambda: os.close(read), lambda: os.close(write), connected.close):
            self.addCleanup(close)
        self.addCleanup(other.close)
        inherited = Inherited([("a", read), ("b", connected.fileno()), ("c", 10**6)])
        self.assertEqual([inherited.take(place) for place in "abc"], [None] * 3)
        inherited.close_others(())
        connected.send(b"open")
        self.assertEqual(other.recv(4), b"open")


class SuccessorTests(ListenTestCase):
    """`listeners` is the old program; its descriptors are copied, as exec leaves them."""

    def leave(self) -> Inherited:
        """What the old program leaves when it is gone."""
        left = [(place, os.dup(number)) for place, number in self.listeners.sockets]
        for _, number in left:
            os.set_inheritable(number, True)
        for _, port in self.listeners._open:
            # What exec does: no goodbye, the socket's file and its lock stay.
            self.reactor.removeReader(port)
            port.socket.close()
            port.factory.doStop()
        self.listeners._open.clear()
        return Inherited(left)

    async def succeed(self, places: list[ListenAddress], port: int = 0) -> Listeners:
        heir = Listeners(self.reactor, self.site, Caps(100, 100), inherited=self.leave())
        self.addCleanup(lambda: ensureDeferred(heir.close()))
        await heir.open(places, port)
        return heir

    async def test_who_connected_meanwhile_is_served_on_the_same_port(self) -> None:
        places = plan(None, [], supervised=True)
        await self.listeners.open(places, 0)
        before = self.listeners.addresses
        self.listeners.pause()
        early = socket.create_connection(("127.0.0.1", self.listeners.port))
        self.addCleanup(early.close)
        early.sendall(GET)
        heir = await self.succeed(places)
        self.assertEqual(heir.addresses, before)
        self.assertEqual(heir.worker_port, heir.port)
        await self.assert_serves(self.tcp(heir.port))
        self.assertTrue(early.recv(100).startswith(b"HTTP/1.1 200 "))

    async def test_ports_accept_again_after_a_pause(self) -> None:
        await self.listeners.open([ListenAddress("127.0.0.1")], 0)
        self.listeners.pause()
        self.listeners.resume()
        await self.assert_serves(self.tcp(self.listeners.port))

    def look(self, path: Path) -> tuple[int, int, str]:
        """Which file it is, its mode, and whose its lock is."""
        there = path.stat()
        return there.st_ino, there.st_mode, str(path.with_suffix(".sock.lock").readlink())

    async def test_a_unix_socket_keeps_its_mode_its_queue_and_its_lock(self) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder, "gateway.sock")
            place = ListenAddress(endpoint=f"unix:{path}")
            await self.listeners.open([place], 0)
            there = self.look(path)
            heir = await self.succeed([place])
            self.assertEqual(self.look(path), there)
            self.assertEqual((there[1] & 0o777, there[2]), (0o660, str(os.getpid())))
            await self.assert_serves(UNIXClientEndpoint(self.reactor, str(path)))
            await heir.close()
            self.assertEqual(os.listdir(folder), [])  # noqa: PTH208

    async def test_a_unix_socket_whose_file_was_removed_is_made_anew(self) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder, "gateway.sock")
            place = ListenAddress(endpoint=f"unix:{path}")
            await self.listeners.open([place], 0)
            path.unlink()  # noqa: ASYNC240
            heir = await self.succeed([place])
            self.assertEqual(self.look(path)[1] & 0o777, 0o660)
            await self.assert_serves(UNIXClientEndpoint(self.reactor, str(path)))
            await heir.close()
            self.assertEqual(os.listdir(folder), [])  # noqa: PTH208

    async def test_tls_and_its_certificate(self) -> None:
        pem = Path(self.mktemp())
        write_certificate(pem, "localhost")
        place = ListenAddress(endpoint=f"ssl:0:interface=127.0.0.1:privateKey={pem}:certKey={pem}")
        folder = self.make_folder()
        write_certificate(folder / "localhost.pem", "localhost")
        named = ListenAddress(endpoint=f"tls:{folder.absolute()}:0:interface=127.0.0.1")
        announced = ListenAddress(endpoint=f"haproxy:{place.endpoint}")
        await self.listeners.open([place, named, announced], 0)
        heir = await self.succeed([place, named, announced])
        self.assertEqual(len(heir.addresses), 3)
        line = b"PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n"
        for address in heir.addresses[:2]:
            plain = self.tcp(int(address.rpartition(":")[2]))
            await self.assert_serves(wrapClientTLS(Trusting(), plain))
        with socket.create_connection(("127.0.0.1", _port(heir.addresses[2]))) as client:
            client.sendall(line)
        heir.reload_certificates()

    async def test_the_proxy_protocol_and_plain_endpoints(self) -> None:
        places = [
            ListenAddress(endpoint="haproxy:tcp:0:interface=127.0.0.1"),
            ListenAddress(endpoint="tcp:0:interface=127.0.0.1"),
        ]
        await self.listeners.open(places, 0)
        heir = await self.succeed(places)
        announced, plain = map(_port, heir.addresses)
        await self.assert_serves(self.tcp(plain))
        await self.assert_serves(self.tcp(announced), b"PROXY UNKNOWN\r\n" + GET)

    async def test_sockets_of_systemd_whose_numbers_are_others_by_now(self) -> None:
        place = ListenAddress(endpoint="systemd:domain=INET:index=0")
        await self.listeners.open([ListenAddress("127.0.0.1")], 0)
        self.patch(self.listeners, "_open", [(place, self.listeners._open[0][1])])
        heir = await self.succeed([place])
        await self.assert_serves(self.tcp(heir.port))

    async def test_a_place_that_is_no_longer_there_is_closed(self) -> None:
        places = [
            ListenAddress(endpoint="tcp:0:interface=127.0.0.1"),
            ListenAddress(endpoint="tcp:0:interface=127.0.0.2"),
        ]
        await self.listeners.open(places, 0)
        (_, gone) = map(_port, self.listeners.addresses)
        heir = await self.succeed(places[:1])
        self.assertEqual(len(heir.addresses), 1)
        again = ListenAddress(endpoint=f"tcp:{gone}:interface=127.0.0.2")
        await self.make_listeners().open([again], 0)

    async def test_a_place_that_is_new_is_opened(self) -> None:
        await self.listeners.open([ListenAddress("127.0.0.1")], 0)
        heir = await self.succeed(
            [ListenAddress("127.0.0.1"), ListenAddress(endpoint="tcp:0:interface=127.0.0.2")]
        )
        self.assertEqual(len(heir.addresses), 2)
        await self.assert_serves(
            TCP4ClientEndpoint(self.reactor, "127.0.0.2", _port(heir.addresses[1]))
        )


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
