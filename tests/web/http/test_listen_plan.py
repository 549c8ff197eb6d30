"""Where to listen, by the options."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.listen_plan import ListenError, plan


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
