"""Who is there."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import LogLevel, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gateway.cluster.members import FORGET, Members, as_status
from tests.cluster.links import NAMES, FakeLink, FakeRedis


class MembersTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.redis = FakeRedis()
        self.clock = Clock()
        self.gone: list[str] = []
        self.a, self.b = self.member("a", "a.1"), self.member("b", "b.1")
        self.a.on_gone.append(self.gone.append)

    def member(self, name: str, process: str, **options: str) -> Members:
        link = FakeLink(self.redis)
        link.up()
        return Members(
            link,
            NAMES,
            name,
            process,
            version="1.0",
            options={"--key-field": "code"} | options,
            clients=lambda: 3,
            clock=self.clock.seconds,
        )

    def look(self, *members: Members, times: int = 1) -> None:
        for _ in range(times):
            for each in members:
                each.look()
            self.clock.advance(1)

    def test_who_tells_something_is_there(self) -> None:
        self.look(self.a, self.b, times=3)
        self.assertEqual(self.a.present(), {"a", "b"})
        self.assertEqual(self.b.present(), {"a", "b"})
        own, other = as_status(self.a)
        self.assertEqual(other, {"name": "b", "version": "1.0", "clients": 3, "differs": []})
        self.assertEqual(own["name"], "a")

    def test_who_was_started_with_other_options_is_told_once(self) -> None:
        logged = []
        globalLogPublisher.addObserver(logged.append)
        self.addCleanup(globalLogPublisher.removeObserver, logged.append)
        c = self.member("c", "c.1", **{"--key-field": "symbol"})
        self.look(self.a, c, times=3)
        self.assertEqual([each["differs"] for each in as_status(self.a)], [[], ["--key-field"]])
        said = [formatEvent(each) for each in logged if each["log_level"] is LogLevel.error]
        self.assertEqual(len(said), 2, "each tells of the other")
        start = "Gateway c of the cluster was started with other options"
        (of_c,) = [each for each in said if each.startswith(start)]
        self.assertIn("--key-field is 'symbol', here 'code'", of_c)

    def test_all_that_are_there_are_known_some_seconds_after_the_start(self) -> None:
        self.assertFalse(self.a.is_settled)
        self.look(self.a)
        self.clock.advance(3)
        self.assertFalse(self.a.is_settled)
        self.clock.advance(1)
        self.assertTrue(self.a.is_settled)

    def test_who_told_something_before_we_came_is_not_there_for_that(self) -> None:
        self.look(self.b)
        self.look(self.a, times=3)
        self.assertEqual(self.a.present(), {"a"})

    def test_who_says_nothing_any_more_is_gone(self) -> None:
        self.look(self.a, self.b, times=3)
        self.look(self.a, times=4)
        self.assertEqual(self.gone, [])
        self.look(self.a, times=3)
        self.assertEqual((self.gone, self.a.present()), (["b"], {"a"}))

    def test_who_starts_anew_is_gone_and_there(self) -> None:
        self.look(self.a, self.b, times=3)
        again = self.member("b", "b.2")
        self.look(self.a, again, times=3)
        self.assertEqual((self.gone, self.a.present()), (["b"], {"a", "b"}))

    def test_one_that_hung_itself_misses_nobody_before_it_has_listened(self) -> None:
        self.look(self.a, self.b, times=3)
        self.clock.advance(30)
        self.b.look()
        self.a._link.holds = True
        self.a.look()
        self.assertEqual(self.a.present(), {"a", "b"})

    def test_who_ends_is_gone_at_once(self) -> None:
        self.look(self.a, self.b, times=3)
        self.b.leave()
        self.look(self.a)
        self.assertEqual(self.gone, ["b"])

    def test_without_a_connection_nobody_else_is_there(self) -> None:
        self.look(self.a, self.b, times=3)
        self.a._link.down()
        self.look(self.a, self.b, times=6)
        self.assertEqual(self.a.present(), {"a"})
        self.a._link.up()
        self.look(self.a, self.b, times=3)
        self.assertEqual(self.a.present(), {"a", "b"})

    def test_who_is_gone_for_long_is_forgotten(self) -> None:
        self.look(self.b, self.a, times=2)
        self.clock.advance(FORGET)
        self.look(self.a)
        self.assertEqual(list(self.redis.members), ["a"])

    def test_two_with_one_name_are_told(self) -> None:
        other = self.member("a", "a.2")
        self.look(self.a, other, times=2)
        self.assertTrue(self.a.has_namesake)
        self.look(self.a, times=2)
        self.assertFalse(self.a.has_namesake)

    def test_the_process_before_us_is_no_namesake(self) -> None:
        self.look(self.a)
        after = self.member("a", "a.2")
        self.look(after, times=2)
        self.assertFalse(after.has_namesake)

    def test_nonsense_is_nobody(self) -> None:
        self.redis.members["c"] = b"{}"
        self.look(self.a, self.b, times=3)
        self.assertEqual(self.a.present(), {"a", "b"})
