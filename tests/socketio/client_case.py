"""A server with two namespaces, and peers of it."""

from twisted.trial.unittest import SynchronousTestCase

from tests.socketio.fakes import Clock, Peer, RecordingNamespace, serve


class ClientTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.root, self.admin = RecordingNamespace(), RecordingNamespace()
        self.server = serve(self.clock, root=self.root, admin=self.admin)

    def peer(self, *said, eio=4):
        peer = Peer(self.server, eio)
        peer.say(*said)
        return peer

    def joined(self, *said):
        """A peer in `/` that then said this; what it heard at first is forgotten."""
        peer = self.peer("40")
        peer.session.outbox.take()
        peer.say(*said)
        return peer

    def assertCloses(self, *said, joined=True):
        bystander = self.joined()
        peer = self.joined(*said) if joined else self.peer(*said)
        self.assertFalse(peer.is_open, said)
        self.assertEqual(peer.session.reason, "parse error")
        bystander.say('42["still here"]')
        self.assertTrue(bystander.is_open)
        self.assertEqual(self.root.events.pop().value, ["still here"])
