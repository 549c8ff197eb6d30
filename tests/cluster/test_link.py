"""A connection to Redis that is made again and again: in memory, cut at every byte."""

from typing import Any

from twisted.internet.error import ConnectionLost
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import capturedLogs
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.cluster.address import Address
from gateway.cluster.link import AGAIN, LATER, LOOK, PATIENCE, Link
from gateway.cluster.resp import LostError, RedisError
from gateway.cluster.scripts import APPEND, HELLO
from tests.untraced import untraced

INFO = b"# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\n"
ANSWERS = (b"+OK\r\n", b"+OK\r\n", b"+OK\r\n", b"$3\r\nsha\r\n", b"$3\r\nsha\r\n")
"""To AUTH, SELECT, CLIENT SETNAME and two scripts."""
GREETING = b"".join((*ANSWERS, b"$%d\r\n%b\r\n" % (len(INFO), INFO)))


class LinkCase(SynchronousTestCase):
    def setUp(self):
        self.reactor = MemoryReactorClock()
        address = Address(path="/run/redis", db=2, user="u", password="p")
        self.link = Link(self.reactor, address, "test")
        self.link.scripts += [HELLO, APPEND]
        self.told: list[str] = []
        self.link.on_up.append(lambda: self.told.append("up"))
        self.link.on_down.append(lambda: self.told.append("down"))
        self.link.start()

    def accept(self) -> Any:
        """The newest connection, made."""
        *_, (_, factory, *_) = self.reactor.unixClients
        protocol = factory.buildProtocol(None)
        self.transport = StringTransport()
        self.transport.abortConnection = lambda: None  # type: ignore[method-assign]
        protocol.makeConnection(self.transport)
        return protocol

    def lose(self, protocol):
        protocol.connectionLost(Failure(ConnectionLost()))

    def up(self):
        protocol = self.accept()
        protocol.dataReceived(GREETING)
        return protocol


class UpTests(LinkCase):
    def test_it_is_up_when_all_was_answered(self):
        self.up()
        self.assertEqual(self.told, ["up"])
        self.assertEqual((self.link.is_up, self.link.run), (True, "abc"))
        sent = self.transport.value()
        for word in (b"AUTH", b"SELECT", b"SETNAME", b"LOAD", b"INFO"):
            self.assertIn(word, sent)
        self.assertLess(sent.index(b"AUTH"), sent.index(b"SELECT"))

    def test_a_server_that_is_too_old_is_never_up(self):
        protocol = self.accept()
        protocol.dataReceived(GREETING.replace(b"7.0.15", b"6.2.15"))
        self.assertEqual((self.told, self.link.is_up), ([], False))
        self.assertIn("Redis 6.2.15 is too old: install", self.link.trouble)

    @untraced
    def test_cut_at_any_byte_of_its_beginning_it_comes_up_the_next_time(self):
        for size in range(len(GREETING)):
            self.setUp()
            protocol = self.accept()
            protocol.dataReceived(GREETING[:size])
            self.assertEqual(self.told, [], size)
            self.lose(protocol)
            self.reactor.advance(AGAIN)
            self.up()
            self.assertEqual(self.told, ["up"], size)

    @untraced
    def test_a_server_that_says_no_more_after_any_byte_is_left(self):
        for size in range(len(GREETING)):
            self.setUp()
            protocol = self.accept()
            protocol.dataReceived(GREETING[:size])
            self.reactor.pump([LOOK] * int(PATIENCE / LOOK + 2))
            self.reactor.advance(LATER)
            self.assertEqual(len(self.reactor.unixClients), 2, size)
            self.up()
            self.assertTrue(self.link.is_up, size)

    def test_any_refusal_at_the_beginning_loses_the_connection(self):
        for index in (0, 1, 3, 4):
            self.setUp()
            protocol = self.accept()
            answers = [*ANSWERS]
            answers[index] = b"-ERR no\r\n"
            protocol.dataReceived(b"".join(answers) + GREETING[sum(map(len, ANSWERS)) :])
            self.assertFalse(self.link.is_up, index)
            self.assertIn("ERR no", self.link.trouble)
            self.assertEqual(self.told, [])

    def test_a_server_that_does_not_tell_which_run_it_is_will_not_do(self):
        info = INFO.replace(b"run_id:abc\r\n", b"")
        self.accept().dataReceived(b"".join((*ANSWERS, b"$%d\r\n%b\r\n" % (len(info), info))))
        self.assertFalse(self.link.is_up)
        self.assertIn("run_id", self.link.trouble)

    def test_who_may_not_give_a_name_has_none(self):
        protocol = self.accept()
        protocol.dataReceived(GREETING.replace(b"+OK\r\n$", b"-NOPERM\r\n$"))
        self.assertTrue(self.link.is_up)


class RefusalTests(LinkCase):
    def refused(self, why):
        """A connection that came up and was of no use."""
        self.up()
        with capturedLogs() as logs:
            self.link.refuse(why)
            self.reactor.advance(AGAIN)
            self.assertTrue(self.link._again.active, "it is too early")
            self.reactor.advance(LATER - AGAIN)
        return [event for event in logs if event["log_namespace"] == "gateway.cluster"]

    def test_the_next_try_comes_later_and_the_log_hears_of_it_once(self):
        told = [len(self.refused(why)) for why in ("full", "full", "full", "a replica")]
        self.assertEqual(told, [1, 0, 0, 1])
        self.assertEqual(len(self.reactor.unixClients), 5)

    def test_after_that_a_connection_that_is_lost_is_told(self):
        self.refused("full")
        protocol = self.up()
        with capturedLogs() as logs:
            self.lose(protocol)
            self.reactor.advance(AGAIN)
            self.up()
        self.assertEqual([event["log_level"].name for event in logs], ["warn", "info"])

    def test_scripts_that_the_server_forgot_are_loaded_again(self):
        answers: list[Any] = []
        protocol = self.up()
        self.link.run_script(HELLO, [], [], answers.append)
        protocol.dataReceived(b"-NOSCRIPT No matching script\r\n")
        self.assertIsInstance(answers[0], LostError)
        self.reactor.advance(LATER)
        self.up()
        self.assertIn(b"LOAD", self.transport.value())
        self.assertTrue(self.link.is_up)


class AnswerTests(LinkCase):
    def test_a_command_that_can_not_be_sent_waits_for_no_answer(self):
        protocol, answers = self.up(), []
        self.assertRaises(TypeError, self.link.call, "SET", object(), answer=answers.append)
        self.link.call("GET", "a", answer=answers.append)
        protocol.dataReceived(b"$1\r\n1\r\n")
        self.assertEqual(answers, [b"1"])

    def test_each_call_has_one_answer_in_order(self):
        protocol, answers = self.up(), []
        for name in "abc":
            self.link.call("GET", name, answer=answers.append)
        protocol.dataReceived(b"$1\r\n1\r\n$-1\r")
        protocol.dataReceived(b"\n-ERR what\r\n")
        self.assertEqual(answers[:2], [b"1", None])
        self.assertIsInstance(answers[2], RedisError)
        self.assertEqual(answers[2].code, "ERR")

    def test_what_is_not_answered_is_lost(self):
        answers: list[Any] = []
        self.link.call("GET", "early", answer=answers.append)
        protocol = self.up()
        self.link.call("GET", "a", answer=answers.append)
        self.lose(protocol)
        self.link.call("GET", "late", answer=answers.append)
        self.assertEqual([type(each) for each in answers], [LostError] * 3)
        self.assertEqual(self.told, ["up", "down"])

    def test_a_server_that_hangs_is_left(self):
        self.up()
        self.reactor.pump([LOOK] * 100)
        self.assertTrue(self.link.is_up, "nothing is due")
        since = self.reactor.seconds()
        self.link.call("GET", "a", answer=lambda _: None)
        self.reactor.pump([LOOK] * int(PATIENCE / LOOK + 1))
        self.assertEqual(self.told, ["up", "down"])
        self.assertEqual(self.link.down_since, since)

    def test_an_answer_that_came_while_this_process_hung_is_heard_first(self):
        protocol, answers = self.up(), []
        self.link.call("GET", "a", answer=answers.append)
        self.reactor.advance(2 * PATIENCE)  # the timers are first, and the socket is next
        protocol.dataReceived(b"$1\r\n1\r\n")
        self.reactor.pump([LOOK] * 10)
        self.assertEqual((answers, self.told), ([b"1"], ["up"]))

    def test_an_answer_that_raises_costs_nobody_else_anything(self):
        protocol, answers = self.up(), []

        def fail(_):
            raise ValueError("this one")

        self.link.call("GET", "a", answer=fail)
        self.link.call("GET", "b", answer=answers.append)
        protocol.dataReceived(b"$1\r\n1\r\n$1\r\n2\r\n")
        self.assertEqual(answers, [b"2"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_what_is_no_answer_at_all_ends_the_connection(self):
        for data in (b"HTTP/1.1 400 Bad\r\n", b"+OK\r\n"):
            self.setUp()
            protocol = self.up()
            protocol.dataReceived(data)
            self.assertEqual(self.told, ["up", "down"], data)

    def test_after_a_stop_it_connects_no_more(self):
        self.up()
        self.link.stop()
        self.reactor.advance(10)
        self.assertEqual(len(self.reactor.unixClients), 1)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
