"""The endpoints of places, with our defaults."""

from typing import Any

from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.endpoints import make_endpoint, with_backlog
from gateway.web.http.listen_plan import BACKLOG, ListenAddress


class BacklogTests(SynchronousTestCase):
    def test_every_listener_lets_as_many_wait_unless_it_says_how_many(self) -> None:
        for given, expected in (
            ("tcp:3001", "tcp:3001:backlog=1024"),
            ("tcp:3001:interface=\\:\\:1", "tcp:3001:interface=\\:\\:1:backlog=1024"),
            ("TCP6:3001", "TCP6:3001:backlog=1024"),
            ("unix:/run/x", "unix:/run/x:backlog=1024"),
            ("ssl:443:privateKey=k.pem", "ssl:443:privateKey=k.pem:backlog=1024"),
            ("tls:/etc/certs:443", "tls:/etc/certs:443:backlog=1024"),
        ):
            self.assertEqual(with_backlog(given), expected)
        for own in (
            "tcp:3001:backlog=5",
            "tcp:3001:127.0.0.1:5",
            "unix:/run/x:660:5",
            "tcp6:1:5",
            "systemd:domain=INET:index=0",
        ):
            self.assertEqual(with_backlog(own), own)

    def test_the_endpoint_is_made_with_it(self) -> None:
        for endpoint in ("tcp:3001", "unix:/run/x", "tcp6:3001"):
            made: Any = make_endpoint(ListenAddress(endpoint=endpoint), MemoryReactor())[0]
            self.assertEqual(made._backlog, BACKLOG)
