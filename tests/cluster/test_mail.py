"""Messages, questions and their answers between gateways."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.cluster.mail import READ, Mail
from gateway.cluster.questions import PATIENCE, Questions, UnansweredError
from gateway.cluster.seal import Seal
from tests.cluster.links import NAMES, FakeLink, FakeRedis

KEY = bytes(32)


class Office:
    """The mail of one gateway."""

    def __init__(self, name: str, redis: FakeRedis, clock: Clock, key: bytes = KEY) -> None:
        self.name = name
        self.link = FakeLink(redis)
        self.link.up()
        self.mail = Mail(self.link, NAMES, Seal(key), name, f"{name}.1")
        self.questions = Questions(clock, self.mail)
        self.redis = redis
        self.read = 0

    def fetch(self) -> None:
        """Hand over what has come."""
        entries = self.redis.streams[NAMES.mail(self.name)]
        while self.read < len(entries):
            self.read += 1
            self.mail.received(entries[self.read - 1])


class MailTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.redis = FakeRedis()
        self.clock = Clock()
        self.a = Office("a", self.redis, self.clock)
        self.b = Office("b", self.redis, self.clock)
        self.got: list[tuple[str, bytes]] = []
        self.b.mail.handlers["word"] = lambda origin, body: self.got.append((origin, body))

    def test_a_message_gets_there_and_nobody_can_read_it_on_the_way(self) -> None:
        self.a.mail.post("b", "word", b"a secret")
        self.b.fetch()
        self.assertEqual(self.got, [("a", b"a secret")])
        self.assertNotIn(b"secret", str(self.redis.streams).encode())

    def test_a_copy_of_a_message_is_nothing_new(self) -> None:
        self.a.mail.post("b", "word", b"1")
        self.a.mail.post("b", "word", b"2")
        entries = self.redis.streams[NAMES.mail("b")]
        entries += entries[:]
        self.b.fetch()
        self.assertEqual(self.got, [("a", b"1"), ("a", b"2")])

    def test_what_is_not_the_clusters_is_not_believed(self) -> None:
        stranger = Office("c", self.redis, self.clock, b"x" * 32)
        stranger.mail.post("b", "word", b"1")
        self.a.mail.post("c", "word", b"2")
        self.redis.streams[NAMES.mail("b")] += [
            {b"m": b"nonsense"},
            {b"another": b"field"},
            *self.redis.streams[NAMES.mail("c")],
        ]
        self.b.fetch()
        self.assertEqual(self.got, [])

    def test_what_is_not_known_is_passed_over(self) -> None:
        self.a.mail.post("b", "of a newer version", b"")
        self.a.mail.post("b", "word", b"1")
        self.b.fetch()
        self.assertEqual(self.got, [("a", b"1")])

    def test_what_was_read_is_removed(self) -> None:
        asked: list[tuple[object, ...]] = []
        self.patch(self.b.link, "call", lambda *words, answer: asked.append(words))
        for number in range(2 * READ):
            self.b.mail._take(b"%d-0" % number, [b"another", b"field"])
        trims = [
            ("XTRIM", NAMES.mail("b"), "MINID", "~", f"{READ * n - 1}-0".encode()) for n in (1, 2)
        ]
        self.assertEqual(asked, trims)

    def ask(self, value: object = None) -> Deferred[object]:
        return self.a.questions.ask("b", "sum", value)

    def test_a_question_is_answered(self) -> None:
        self.b.questions.handlers["sum"] = lambda origin, value: [origin, sum(value)]
        answer = self.ask([1, 2])
        self.b.fetch()
        self.assertNoResult(answer)
        self.a.fetch()
        self.assertEqual(self.successResultOf(answer), ["a", 3])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_an_answer_may_take_its_time(self) -> None:
        later: Deferred[int] = Deferred()
        self.b.questions.handlers["sum"] = lambda *_: later
        answer = self.ask()
        self.b.fetch()
        later.callback(7)
        self.a.fetch()
        self.assertEqual(self.successResultOf(answer), 7)

    def test_nobody_waits_for_ever(self) -> None:
        answer = self.ask()
        self.clock.advance(PATIENCE)
        self.failureResultOf(answer, UnansweredError)

    def test_nobody_waits_for_a_gateway_that_is_gone(self) -> None:
        answer = self.ask()
        self.a.questions.gone("c")
        self.assertNoResult(answer)
        self.a.questions.gone("b")
        self.failureResultOf(answer, UnansweredError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_question_that_could_not_be_sent_fails_at_once(self) -> None:
        self.a.link.down()
        self.failureResultOf(self.ask(), UnansweredError)

    def test_an_answer_of_somebody_else_is_none(self) -> None:
        c = Office("c", self.redis, self.clock)
        answer = self.ask()
        c.questions._tell("a", 1, "wrong")
        self.a.fetch()
        self.assertNoResult(answer)
        self.a.questions.gone("b")
        self.failureResultOf(answer)

    def test_an_answer_that_fails_is_logged_and_harms_nobody(self) -> None:
        self.b.questions.handlers["sum"] = lambda *_: 1 // 0
        answer = self.ask()
        self.b.fetch()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.a.questions.gone("b")
        self.failureResultOf(answer)
