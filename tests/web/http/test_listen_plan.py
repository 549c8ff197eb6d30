"""Where to listen, by the options."""

from typing import Any

from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.listen_plan import BACKLOG, ListenAddress, ListenError, plan, with_backlog


class PlanTests(SynchronousTestCase):
    def hosts(self, *args: Any, supervised: bool = True) -> list[str]:
        return [str(place) for place in plan(*args, supervised=supervised)]

    def test_by_default_this_machine_alone(self) -> None:
        for host in (None, "localhost"):
            self.assertEqual(self.hosts(host, []), ["127.0.0.1", "::1"])
        self.assertEqual(
            [place.optional for place in plan(None, [], supervised=True)], [False, True]
        )

    def test_the_worker_always_has_its_way_in(self) -> None:
        self.assertEqual(self.hosts("192.0.2.1", []), ["192.0.2.1", "127.0.0.1", "::1"])
        self.assertEqual(self.hosts(None, ["unix:/x"]), ["unix:/x", "127.0.0.1", "::1"])

    def test_without_a_worker_nothing_else(self) -> None:
        self.assertEqual(self.hosts("192.0.2.1", [], supervised=False), ["192.0.2.1"])
        self.assertEqual(self.hosts(None, ["tcp:1"], supervised=False), ["tcp:1"])

    def test_where_all_addresses_serve_localhost_does_in_both_families(self) -> None:
        for supervised in (False, True):
            for host, other in (("0.0.0.0", "::1"), ("::", "127.0.0.1")):
                places = plan(host, [], supervised=supervised)
                self.assertEqual([str(place) for place in places[:2]], [host, other])
                self.assertTrue(places[1].optional)

    def test_a_host_that_is_no_address(self) -> None:
        for host in ("example.com", "0.0.0", "127.0.0.1:3001"):
            error = self.assertRaises(ListenError, plan, host, [], supervised=True)
            self.assertIn(host, str(error))


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
            made: Any = ListenAddress(endpoint=endpoint).make(MemoryReactor())[0]
            self.assertEqual(made._backlog, BACKLOG)
