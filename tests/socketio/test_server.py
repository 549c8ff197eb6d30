from twisted.trial.unittest import SynchronousTestCase

from gateway.socketio.server import Server, Settings
from tests.socketio.fakes import Clock, Peer, RecordingNamespace


class ServerTests(SynchronousTestCase):
    def test_takes_names_that_a_client_can_send(self):
        server = Server(Settings(), Clock().deadlines)
        for name in ("", "admin", "/a,b", "/a?b"):
            with self.assertRaises(ValueError):
                server.of(name, RecordingNamespace())
        server.of("/行情/a b", RecordingNamespace())
        peer = Peer(server)
        peer.say("40/行情/a b,")
        self.assertRegex(peer.heard[0], '^40/行情/a b,{"sid"')

    def test_takes_the_connect_timeout_from_its_settings(self):
        clock = Clock()
        peer = Peer(Server(Settings(connect_timeout=0.5), clock.deadlines))
        clock.advance(0.5)
        self.assertFalse(peer.is_open)
        for seconds in (0, -1):
            with self.assertRaises(ValueError):
                Settings(connect_timeout=seconds)
