"""Deadlines of connections."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

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

    def test_nothing_is_watched_after_the_end(self) -> None:
        self.expiry.watch(Connection(), 10)
        self.expiry.stop()
        self.expiry.watch(Connection(), 10)
        self.assertEqual(self.clock.getDelayedCalls(), [])

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
