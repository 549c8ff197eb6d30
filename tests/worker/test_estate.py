"""What one gateway knows of the worker, and another one goes on with."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.common.credentials import Credentials

from .simulated import Simulation

BANNED = "shioaji.error.TokenError: StatusCode: 503, Detail: login is banned\n"
KEYS = Credentials("posted-key", "posted-secret")


class EstateTests(SynchronousTestCase):
    """The first has the worker, and the second would have it next."""

    def setUp(self) -> None:
        self.first, self.second = Simulation(self, 0), Simulation(self, 0)
        self.first.supervisor.start()
        self.first.advance(4)

    def goes_on(self) -> None:
        self.second.supervisor.estate.learn(self.first.supervisor.estate.told())
        self.second.supervisor.start()
        self.second.advance(4)

    def test_starts_are_counted_on(self) -> None:
        self.goes_on()
        self.assertEqual(self.second.supervisor.status()["budget"]["used"], 2)

    def test_a_pause_that_the_broker_imposed_holds(self) -> None:
        self.first.child.say(BANNED)
        self.first.advance(2)
        self.goes_on()
        self.assertIsNone(self.second.child)
        self.assertGreater(self.second.supervisor.status()["pausedFor"], 50)

    def test_posted_keys_are_used_and_kept_in_the_file_and_no_log_has_them(self) -> None:
        answer = self.first.ask(self.first.supervisor.set_credentials(KEYS))
        self.first.advance(4)
        self.assertEqual(len(answer), 1)
        self.goes_on()
        self.assertEqual(self.second.child.asked["env"]["API_KEY"], "posted-key")
        self.assertEqual(self.second.supervisor.redact("posted-secret"), "[redacted]")
        third = self.second.supervisor.estate.told()
        self.assertIn(b"posted-key", third)

    def test_where_none_were_posted_each_has_its_own(self) -> None:
        self.goes_on()
        self.assertNotIn("API_KEY", self.second.child.asked["env"])

    def test_a_worker_that_a_person_stopped_stays_stopped(self) -> None:
        self.first.supervisor.stop_worker()
        self.first.advance(4)
        self.goes_on()
        self.second.supervisor.estate.learn(self.first.supervisor.estate.told())
        self.second.advance(4)
        self.assertEqual(self.second.supervisor.state, "stopped")
        self.first.supervisor.start_worker()
        self.first.advance(4)
        self.second.supervisor.estate.learn(self.first.supervisor.estate.told())
        self.second.advance(4)
        self.assertEqual(self.second.supervisor.state, "running")

    def test_the_same_is_told_in_the_same_bytes(self) -> None:
        told = self.first.supervisor.estate.told
        self.assertEqual(told(), told())

    def test_of_nonsense_nothing_is_believed(self) -> None:
        for nonsense in (b"", b"{}", b'{"ledger": 1, "keys": null, "stopped": false}'):
            self.second.supervisor.estate.learn(nonsense)
        self.second.supervisor.start()
        self.second.advance(4)
        self.assertEqual(self.second.supervisor.state, "running")
        self.assertEqual(len([line for line in self.second.logged if "Reading what" in line]), 3)
