"""Who waits at a socket while there is no gateway: answered, or served later with nothing lost."""

import errno
import socket
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.backlog import MOST_KEPT, answer_waiting
from gateway.web.http.early import Early
from gateway.web.http.inherited import Inherited
from gateway.web.http.listen import Listeners
from gateway.web.http.listen_plan import ListenAddress
from tests.patience import PATIENCE
from tests.web.http.test_listen import GET, ListenTestCase


def answer(data: bytes) -> bytes:
    return b"answer" if data == b"ask" else b""


class Sockets(SynchronousTestCase):
    def setUp(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=MOST_KEPT + 16)
        self.addCleanup(self.listening.close)

    def client(self, data: bytes = b"") -> socket.socket:
        client = socket.create_connection(self.listening.getsockname(), PATIENCE)
        self.addCleanup(client.close)
        client.sendall(data)
        return client

    def kept(self, listening: Any = None) -> list[tuple[socket.socket, Any]]:
        kept = list(answer_waiting(listening or self.listening, answer))
        for each, _ in kept:
            self.addCleanup(each.close)
        return kept


class WaitingTests(Sockets):
    def test_who_can_be_answered_is_and_hears_the_end(self) -> None:
        client = self.client(b"ask")
        self.assertEqual(self.kept(), [])
        self.assertEqual(client.recv(100), b"answer")
        self.assertEqual(client.recv(100), b"", "closed, and not reset")

    def test_the_others_are_kept_in_their_order_and_unread(self) -> None:
        clients = [self.client(data) for data in (b"1", b"ask", b"", b"as", b"ask more")]
        gone = self.client()
        gone.close()
        kept = self.kept()
        clients.remove(clients[1])
        names = [client.getsockname() for client in clients]
        self.assertEqual([address for _, address in kept[:-1]], names)
        self.assertEqual(kept[0][0].recv(100), b"1")
        clients[2].sendall(b"k")
        self.assertEqual(kept[2][0].recv(100), b"ask")
        self.assertFalse(kept[0][0].getblocking())

    def test_many_who_say_nothing_are_left_where_they_are(self) -> None:
        for _ in range(MOST_KEPT + 1):
            self.client()
        client = self.client(b"ask")
        self.assertEqual(len(self.kept()), MOST_KEPT)
        self.assertEqual(len(self.kept()), 1)
        self.assertEqual(client.recv(100), b"answer")

    def test_no_more_descriptors(self) -> None:
        self.client(b"1")

        class Scarce:
            setblocking = self.listening.setblocking
            given = 0

            def accept(scarce) -> Any:
                scarce.given += 1
                if scarce.given > 1:
                    raise OSError(errno.EMFILE, "Too many open files")
                return self.listening.accept()

        self.assertEqual(len(self.kept(Scarce())), 1)


class ServedTests(ListenTestCase):
    async def test_they_are_served_and_counted_as_if_they_were_accepted_then(self) -> None:
        held = socket.create_server(("127.0.0.1", 0))
        address = held.getsockname()
        client, stranger = (socket.create_connection(address, PATIENCE) for _ in range(2))
        self.addCleanup(client.close)
        self.addCleanup(stranger.close)
        client.sendall(GET[:5])
        first, second = held.accept(), held.accept()
        early = Early([("127.0.0.1", held.detach())], {"127.0.0.1": [first], "gone": [second]})
        inherited = Inherited.taken_from({}, early)
        listeners = Listeners(self.reactor, self.site, self.caps, inherited=inherited)
        self.addCleanup(lambda: ensureDeferred(listeners.close()))
        await listeners.open([ListenAddress("127.0.0.1")], address[1])
        self.assertEqual(self.caps.count, 1)
        self.assertEqual(stranger.recv(100), b"", "of a place that is no more")
        client.sendall(GET[5:])
        answer = await deferToThread(client.makefile("rb").read)
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
        await self.assert_serves(self.tcp(address[1]))
