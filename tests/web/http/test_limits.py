"""Deadlines, caps and rates."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.counting import Caps
from gateway.web.http.limits import SWEEP_SECONDS, Expiry


class Connection:
    def __init__(self) -> None:
        self.calls = 0

    def overdue(self) -> None:
        self.calls += 1


class ExpiryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.expiry = Expiry(self.clock)

    def pass_time(self, seconds: float) -> None:
        self.clock.pump([SWEEP_SECONDS] * round(seconds / SWEEP_SECONDS))

    def test_a_deadline_passes_once(self) -> None:
        connection = Connection()
        self.expiry.watch(connection, 10)
        self.pass_time(9.5)
        self.assertEqual(connection.calls, 0)
        self.pass_time(30)
        self.assertEqual(connection.calls, 1)

    def test_a_new_deadline_takes_the_place_of_the_old(self) -> None:
        connection = Connection()
        self.expiry.watch(connection, 10)
        self.pass_time(9)
        self.expiry.watch(connection, 10)
        self.pass_time(9)
        self.assertEqual(connection.calls, 0)
        self.pass_time(2)
        self.assertEqual(connection.calls, 1)

    def test_forgotten_deadlines_do_not_pass(self) -> None:
        connection = Connection()
        self.expiry.watch(connection, 1)
        self.expiry.forget(connection)
        self.expiry.forget(connection)
        self.pass_time(5)
        self.assertEqual(connection.calls, 0)

    def test_no_timer_runs_for_nobody(self) -> None:
        self.expiry.watch(Connection(), 1)
        self.pass_time(3)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stopping_stops_the_timer(self) -> None:
        self.expiry.watch(Connection(), 1)
        self.expiry.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_whoever_is_overdue_may_set_a_new_deadline(self) -> None:
        expiry = self.expiry

        class Stubborn(Connection):
            def overdue(self) -> None:
                super().overdue()
                expiry.watch(self, 1)

        connection = Stubborn()
        expiry.watch(connection, 1)
        self.pass_time(1)
        self.pass_time(1)
        self.assertEqual(connection.calls, 2)


class CapsTests(SynchronousTestCase):
    def test_one_address_can_not_take_all(self) -> None:
        caps = Caps(total=10, per_address=2)
        self.assertEqual([caps.opened("192.0.2.1") for _ in range(3)], [True, True, False])
        self.assertTrue(caps.opened("192.0.2.2"))
        self.assertEqual((caps.count, caps.refused), (4, 1))

    def test_this_machine_counts_in_the_total_only(self) -> None:
        caps = Caps(total=5, per_address=1)
        local = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "", "127.0.0.1"]
        self.assertEqual([caps.opened(host) for host in local], [True] * 5)
        self.assertFalse(caps.opened("127.0.0.1"))

    def test_who_is_exempt_counts_in_the_total_only(self) -> None:
        caps = Caps(total=3, per_address=1, exempt="10.0.0.1".__eq__)
        self.assertEqual([caps.opened("10.0.0.1") for _ in range(4)], [True] * 3 + [False])

    def test_a_connection_counts_as_that_of_who_is_told(self) -> None:
        caps = Caps(total=100, per_address=2, exempt="10.0.0.1".__eq__)
        for _ in range(4):
            self.assertTrue(caps.opened("10.0.0.1"))
        clients = ["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.1"]
        for _ in clients:
            caps.left("10.0.0.1")
        self.assertEqual([caps.entered(each) for each in clients], [True, True, True, False])
        caps.left("192.0.2.1")
        self.assertEqual((caps.count, caps.refused), (4, 1))

    def test_an_ipv6_client_counts_by_its_64(self) -> None:
        caps = Caps(total=100, per_address=2)
        mine = ["2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::%eth0"]
        self.assertEqual([caps.opened(each) for each in mine], [True, True, False])
        self.assertTrue(caps.opened("2001:db8:1:3::1"))
        self.assertTrue(caps.opened("::ffff:192.0.2.1"))
        self.assertTrue(caps.opened("192.0.2.1"))
        self.assertFalse(caps.opened("::ffff:192.0.2.1"))
        for each in mine:
            caps.closed(each)
        self.assertTrue(caps.opened("2001:db8:1:2::1"))

    def test_who_goes_makes_room(self) -> None:
        caps = Caps(total=1, per_address=1)
        for _ in range(3):
            self.assertTrue(caps.opened("192.0.2.1"))
            self.assertFalse(caps.opened("192.0.2.1"))
            caps.closed("192.0.2.1")
            caps.closed("192.0.2.1")
        self.assertEqual(caps.count, 0)
