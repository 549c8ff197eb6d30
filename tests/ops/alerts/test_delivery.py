from __future__ import annotations

import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.deadlines import Deadlines
from gateway.ops.alerts.delivery import (
    LONGEST_PAUSE,
    MAX_TRIES,
    MAX_WAITING,
    Delivery,
    PostError,
)
from gateway.ops.alerts.posting import TIMEOUT, WebhookClient
from gateway.ops.alerts.receivers import Post
from tests.ops.alerts.receiver import DAY, Authority, ReceiverTestCase
from tests.worker.real import soon


class DeliveryTests(SynchronousTestCase):
    """A receiver that the test plays, and a clock that it moves."""

    chance = 0.0

    def setUp(self) -> None:
        self.clock = Clock()
        self.deadlines = Deadlines(self.clock.seconds)
        self.posts: list[Any] = []
        self.answer: Deferred[None] = Deferred()
        self.delivery = Delivery("a.example", self.post, self.deadlines, lambda: self.chance)
        self.events: list[dict] = []
        globalLogPublisher.addObserver(self.events.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)

    def post(self, body: Any) -> Deferred[None]:
        self.posts.append(body)
        self.answer = Deferred()
        return self.answer

    def send(self, *numbers: int) -> None:
        for number in numbers:
            self.delivery.send({"n": number})

    def fail(self, **how: Any) -> None:
        self.answer.errback(PostError("answered 500", **how))

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.deadlines.advance()

    def numbers(self) -> list[int]:
        new, self.posts[:] = list(self.posts), []
        return [body["n"] for body in new]

    def said(self) -> list[str]:
        return [formatEvent(event) for event in self.events]

    def pause(self) -> float:
        """Seconds until the next try."""
        assert self.deadlines.next is not None
        return self.deadlines.next - self.clock.seconds()

    def test_one_after_the_other_in_order(self) -> None:
        self.send(1, 2, 3)
        self.assertEqual(self.numbers(), [1])
        self.answer.callback(None)
        self.assertEqual(self.numbers(), [2])
        self.answer.callback(None)
        self.answer.callback(None)
        self.send(4)
        self.assertEqual(self.numbers(), [3, 4])
        self.answer.callback(None)
        self.assertEqual(self.delivery.results, {"delivered": 4, "failed": 0, "lost": 0})

    def test_a_failure_is_tried_again_and_nothing_overtakes_it(self) -> None:
        self.send(1, 2)
        self.fail()
        self.assertEqual(self.numbers(), [1])
        self.wait(1.9)
        self.assertEqual(self.numbers(), [])
        self.wait(0.2)
        self.assertEqual(self.numbers(), [1])
        self.answer.callback(None)
        self.assertEqual(self.numbers(), [2])
        self.assertEqual(self.delivery.results, {"delivered": 1, "failed": 1, "lost": 0})
        self.assertEqual(self.said(), ["An alert waits: a.example answered 500; next try in 2 s"])

    def pauses(self) -> list[float]:
        """The pauses of an alert that never arrives."""
        self.send(1)
        pauses = []
        while not self.answer.called:
            self.fail()
            if self.deadlines.next is not None:
                pauses.append(self.pause())
                self.wait(self.pause())
        return pauses

    def test_pauses_double_within_bounds_until_it_is_given_up(self) -> None:
        pauses = self.pauses()
        self.assertEqual(pauses, [min(2.0 * 2**n, LONGEST_PAUSE) for n in range(MAX_TRIES - 1)])
        self.assertEqual(len(self.posts), MAX_TRIES)
        self.assertEqual(self.delivery.results, {"delivered": 0, "failed": MAX_TRIES, "lost": 1})
        self.assertEqual(self.said()[-1], "The alert is given up: a.example answered 500")
        self.numbers()
        self.send(2)
        self.assertEqual(self.numbers(), [2], "the next one is tried at once")

    def test_up_to_half_of_a_pause_is_left_to_chance(self) -> None:
        self.chance = 0.999
        self.assertTrue(all(1 <= pause / 2**n < 1.01 for n, pause in enumerate(self.pauses())))

    def test_a_receiver_that_asks_for_more_time_gets_it_within_bounds(self) -> None:
        for after, pause in ((30.0, 30.0), (86400.0, LONGEST_PAUSE), (0.0, 8.0)):
            self.send(1)
            self.fail(after=after)
            self.assertEqual(self.pause(), pause)
            self.wait(pause)

    def test_what_makes_no_sense_to_repeat_is_given_up_at_once(self) -> None:
        self.send(1, 2)
        self.fail(retry=False)
        self.assertEqual(self.numbers(), [1, 2])
        self.assertEqual(self.delivery.results, {"delivered": 0, "failed": 1, "lost": 1})

    def test_what_waits_is_bounded_and_the_newest_counts(self) -> None:
        self.send(*range(1000))
        for _ in range(MAX_WAITING):
            self.answer.callback(None)
        self.assertEqual(self.numbers(), [0, *range(1000 - MAX_WAITING, 1000)])
        self.assertEqual(self.delivery.results["lost"], 999 - MAX_WAITING)

    def join(self) -> None:
        """From now on only the newest state counts: numbers are added up."""
        self.delivery = Delivery(
            "a.example",
            self.post,
            self.deadlines,
            lambda: self.chance,
            join=lambda older, newer: {"n": older["n"] + newer["n"]},  # type: ignore[index]
        )

    def test_what_can_be_joined_goes_together(self) -> None:
        self.join()
        self.send(1, 20, 300)
        self.assertEqual(self.numbers(), [1])
        self.answer.callback(None)
        self.assertEqual(self.numbers(), [320])
        self.answer.callback(None)
        self.assertEqual(self.delivery.results, {"delivered": 2, "failed": 0, "lost": 0})

    def test_news_ends_a_pause_and_takes_what_waited_along(self) -> None:
        self.join()
        self.send(1)
        self.fail()
        self.numbers()
        self.send(20)
        self.assertEqual(self.numbers(), [21])
        self.send(300)
        self.fail()
        self.assertEqual(self.numbers(), [321], "it came while the try was under way")
        self.fail()
        self.assertEqual(self.pause(), 2.0)
        self.wait(2.1)
        self.assertEqual(self.numbers(), [321])
        self.answer.callback(None)
        self.wait(10_000)
        self.assertEqual(self.numbers(), [])
        self.assertEqual(self.delivery.results, {"delivered": 1, "failed": 3, "lost": 0})

    def test_the_end(self) -> None:
        self.send(1, 2)
        self.delivery.stop()
        self.wait(10_000)
        self.assertEqual(self.numbers(), [1])
        self.assertEqual(self.said(), [])

    def test_the_end_in_a_pause(self) -> None:
        self.send(1)
        self.fail()
        self.delivery.stop()
        self.wait(10_000)
        self.assertEqual(self.numbers(), [1])

    def test_after_the_end_news_ends_no_pause(self) -> None:
        self.join()
        self.send(1)
        self.fail()
        self.delivery.stop()
        self.send(20)
        self.assertEqual(self.numbers(), [1])

    def test_a_fault_of_ours_is_logged(self) -> None:
        self.send(1)
        self.answer.errback(ZeroDivisionError())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.delivery.results["lost"], 1)
        self.send(2)
        self.assertEqual(self.numbers(), [1, 2], "the next alert has another chance")

    def test_what_can_not_be_written_is_lost_alone(self) -> None:
        def post(message: Any) -> Deferred[None]:
            return self.post(message["n"].encode() and message)

        self.delivery = Delivery("a.example", post, self.deadlines, lambda: self.chance)
        self.delivery.send({"n": "\udcff"})
        self.delivery.send({"n": "well"})
        self.assertEqual(len(self.flushLoggedErrors(UnicodeEncodeError)), 1)
        self.assertEqual(self.posts, [{"n": "well"}])


def accepted(server: socket.socket) -> socket.socket | None:
    """The next connection of `server`, if there is one already."""
    try:
        return server.accept()[0]
    except BlockingIOError:
        return None


class ClientTests(ReceiverTestCase):
    async def post(self, host: str = "localhost", path: str = "/hook") -> None:
        client = WebhookClient(reactor, self.authority.write(Path(self.mktemp())))
        await client.post(Post(f"https://{host}:{self.port}{path}", {"text": "臺"}))

    async def refused(self, host: str = "localhost") -> PostError:
        try:
            await self.post(host)
        except PostError as error:
            return error
        raise AssertionError("it was taken")

    async def test_what_is_posted_is_json(self) -> None:
        self.listen()
        await self.post(path="/hook?a=b")
        self.assertEqual(self.hook.posted, [{"text": "臺"}])
        self.assertEqual(self.hook.paths, ["/hook?a=b"])
        self.assertEqual(self.hook.content_types, ["application/json"])

    async def test_an_address_may_be_certified_too(self) -> None:
        self.listen("127.0.0.1")
        await self.post("127.0.0.1")
        self.assertEqual(len(self.hook.posted), 1)

    async def test_a_certificate_of_nobody_we_trust_is_refused(self) -> None:
        self.listen()
        self.authority = Authority()
        error = await self.refused()
        self.assertIn("can't be trusted: certificate verify failed", error.reason)
        self.assertIn("--alert-ca", error.reason)
        self.assertEqual(self.hook.posted, [])

    async def test_the_systems_authorities_do_not_know_a_private_one(self) -> None:
        self.listen()
        client = WebhookClient(reactor, None)
        error = await self.assertFailure(
            client.post(Post(f"https://localhost:{self.port}/", {})), PostError
        )
        self.assertIn("can't be trusted", error.reason)
        self.assertEqual(self.hook.posted, [])

    async def test_a_certificate_for_another_name_is_refused(self) -> None:
        self.listen("other.example")
        for host in ("localhost", "127.0.0.1"):
            error = await self.refused(host)
            self.assertIn("certificate is for another name", error.reason)
            self.assertTrue(error.retry)
        self.assertEqual(self.hook.posted, [])

    async def test_a_certificate_that_has_expired_is_refused(self) -> None:
        self.listen(until=datetime.now(UTC) - DAY)
        self.assertIn("can't be trusted", (await self.refused()).reason)
        self.assertEqual(self.hook.posted, [])

    async def test_which_statuses_make_sense_to_try_again(self) -> None:
        self.listen()
        for status, retry in [
            (500, True), (502, True), (503, True), (429, True), (408, True),
            (400, False), (401, False), (404, False), (410, False),
        ]:  # fmt: skip
            self.hook.statuses = [status]
            error = await self.refused()
            self.assertEqual((error.reason, error.retry), (f"answered {status}", retry))

    async def test_redirects_are_not_followed(self) -> None:
        self.listen()
        self.hook.statuses, self.hook.headers = [307], {"Location": "/elsewhere"}
        error = await self.refused()
        self.assertEqual((error.reason, error.retry), ("answered 307", False))
        self.assertEqual(len(self.hook.posted), 1)

    async def test_how_long_the_receiver_wants_to_be_left_alone(self) -> None:
        self.listen()
        for value, seconds in [("7", 7.0), ("0", 0.0), ("soon", 0.0), ("-1", 0.0), ("9" * 30, 0.0)]:
            self.hook.statuses, self.hook.headers = [429], {"Retry-After": value}
            self.assertEqual((await self.refused()).after, seconds)

    async def test_nobody_reads_long_answers(self) -> None:
        self.listen()
        self.hook.statuses, self.hook.body = [200], b"x" * 10_000_000
        await self.post()
        await soon(self.has_hung_up)

    async def test_nobody_listens(self) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            self.port = closed.getsockname()[1]
            error = await self.refused("127.0.0.1")
        self.assertIn("could not be reached: Connection was refused", error.reason)
        self.assertTrue(error.retry)

    async def test_cancelled(self) -> None:
        self.listen()
        self.hook.statuses = [0]
        client = WebhookClient(reactor, self.authority.write(Path(self.mktemp())))
        posting = client.post(Post(f"https://localhost:{self.port}/", {}))
        await soon(lambda: self.hook.posted)
        posting.cancel()
        await self.assertFailure(posting, CancelledError)
        await soon(self.has_hung_up)

    async def test_no_answer_is_not_waited_for_any_longer(self) -> None:
        self.listen()
        self.hook.statuses = [0]
        client = WebhookClient(reactor, self.authority.write(Path(self.mktemp())))
        clock = client._reactor = Clock()
        posting = client.post(Post(f"https://localhost:{self.port}/", {}))
        await soon(lambda: self.hook.posted)
        clock.advance(TIMEOUT - 0.1)
        self.assertNoResult(posting)
        clock.advance(0.2)
        error: Any = self.failureResultOf(posting, PostError).value
        self.assertEqual((error.reason, error.retry), ("gave no answer within 10 s", True))
        await soon(self.has_hung_up)

    async def test_a_handshake_that_does_not_end_is_not_waited_for_either(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            silent.setblocking(False)
            client = WebhookClient(reactor, None)
            clock = client._reactor = Clock()
            posting = client.post(Post(f"https://127.0.0.1:{silent.getsockname()[1]}/", {}))
            peer = await soon(lambda: accepted(silent))
            self.addCleanup(peer.close)
            clock.advance(TIMEOUT + 0.1)
            error: Any = self.failureResultOf(posting, PostError).value
            self.assertEqual(error.reason, "gave no answer within 10 s")


class AuthoritiesTests(SynchronousTestCase):
    def refused(self, content: bytes | None) -> str:
        path = Path(self.mktemp())
        if content is not None:
            path.write_bytes(content)
        return str(self.assertRaises(ValueError, WebhookClient, Clock(), path))

    def test_a_file_without_certificates_is_refused(self) -> None:
        begin, end = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
        self.assertIn("PEM", self.refused(b""))
        self.assertIn("PEM", self.refused(b"\xff\xfe"))
        self.assertIn("can't be read", self.refused(begin + b"\nAAAA\n" + end))
        self.assertIn("can't be read", self.refused(None))
