"""POSTs of long-polling: received in slices, and at the pace that is allowed."""

from itertools import count
from typing import Any

from twisted.internet.task import Clock
from twisted.web.server import Site

from gateway.engineio.meter import BYTES, HANDSHAKE, SLICE
from gateway.web.routes.engine import EngineResource
from gateway.web.websocket.allowance import Allowance
from tests.engineio.world import World, text
from tests.web.routes.test_engine import EngineTests, Exchange

MANY = 3 * SLICE + 7


def body(packets: int, last: str = "") -> bytes:
    packets_ = [f"4{number}" for number in range(packets)]
    return "\x1e".join(packets_ + [last] * bool(last)).encode()


class PaceTests(EngineTests):
    def post(self, query: str, data: bytes) -> Exchange:
        return self.ask(query, "POST", data)

    def turn(self) -> None:
        """One turn of the reactor, in which time goes on."""
        self.world.now += 0.001
        later = count(1)
        now = self.world.now
        self.world.deadlines.clock = lambda: now + next(later) * 1e-9
        self.world.deadlines.advance()

    def heard(self) -> int:
        return len(self.world.connection.heard)

    def assert_answered(self, exchange: Exchange, status: int, expected: Any) -> None:
        response = exchange.response
        assert response is not None, "the POST is not answered"
        self.assertEqual(response.status, status)
        self.assertEqual(response.body if status == 200 else response.json["code"], expected)


class SliceTests(PaceTests):
    def test_others_have_their_turn_before_all_of_a_large_post_is_received(self) -> None:
        exchange = self.post(self.open(), body(MANY))
        for turns in range(1, 4):
            self.assertApproximates(self.heard(), turns * SLICE, 0.02 * turns * SLICE)
            self.assertEqual(exchange.response, None)
            self.turn()
        self.assert_answered(exchange, 200, b"ok")
        self.assertEqual(
            self.world.connection.heard, [text(f"4{number}") for number in range(MANY)]
        )

    def test_a_get_is_answered_meanwhile(self) -> None:
        query = self.open()
        self.post(query, body(MANY))
        self.world.session.send(text("4x"))
        self.assertEqual(self.answer(query).body, b"4x")

    def test_a_client_that_leaves_has_said_it_all_the_same(self) -> None:
        exchange = self.post(self.open(), body(MANY))
        exchange.vanish()
        for _ in range(3):
            self.turn()
        self.assertEqual((self.heard(), exchange.response), (MANY, None))

    def test_so_has_one_whose_poll_goes_first(self) -> None:
        query = self.open()
        poll = self.ask(query)
        exchange = self.post(query, body(MANY))
        poll.vanish()
        exchange.vanish()
        self.world.session.send(text("4too late"))
        for _ in range(3):
            self.turn()
        self.assertEqual(self.heard(), MANY)
        self.assertEqual(self.world.connection.reasons, ["transport error"])

    def test_a_fault_in_a_later_slice(self) -> None:
        exchange = self.post(self.open(), body(MANY, "x"))
        for _ in range(3):
            self.turn()
        self.assert_answered(exchange, 400, 3)
        self.assertEqual(self.world.connection.reasons, ["parse error"])

    def test_a_session_that_ends_meanwhile(self) -> None:
        exchange = self.post(self.open(), body(MANY))
        self.world.session.abort("slow consumer")
        self.turn()
        self.assert_answered(exchange, 400, 1)
        self.assertLessEqual(self.heard(), SLICE)

    def test_a_second_post_meanwhile_ends_the_session(self) -> None:
        query = self.open()
        first = self.post(query, body(MANY))
        self.assert_answered(self.post(query, b"4x"), 400, 3)
        self.turn()
        self.assert_answered(first, 400, 1)


class RateTests(PaceTests):
    def setUp(self) -> None:
        super().setUp()
        self.exempt = False
        self.asked: list[object] = []
        self.world = World(rate=100, burst=220)
        allowance = Allowance(max_payload=10**6, is_exempt=self.is_exempt)
        engine = EngineResource(self.world.server, self.upgrade, allowance=allowance)
        self.site = Site(engine, reactor=Clock())

    def is_exempt(self, session: Any) -> bool:
        self.asked.append(session)
        return self.exempt

    def test_who_sends_too_much_is_answered_later(self) -> None:
        query = self.open()
        self.assertEqual(self.post(query, body(190)).response.body, b"ok")  # type: ignore[union-attr]
        self.assertEqual(self.asked, [])
        exchange = self.post(query, body(60))
        self.assertEqual(self.heard(), 250)
        self.world.wait(0.4)
        self.assertEqual(exchange.response, None)
        self.world.wait(0.2)
        self.assert_answered(exchange, 200, b"ok")
        self.assert_answered(self.post(query, body(4)), 200, b"ok")

    def test_bytes_count_as_messages_do(self) -> None:
        exchange = self.post(self.open(), b"4" + b"x" * 250 * BYTES)
        self.world.wait(0.4)
        self.assertEqual(exchange.response, None)
        self.world.wait(0.2)
        self.assert_answered(exchange, 200, b"ok")

    def test_a_handshake_counts_too(self) -> None:
        self.open()
        self.assertEqual(self.world.session.meter.spent, HANDSHAKE)

    def test_so_is_the_rest_of_its_post_received(self) -> None:
        exchange = self.post(self.open(), body(MANY))
        self.world.wait(SLICE / 100 - 2.2)
        first = self.heard()
        self.assertLessEqual(first, SLICE)
        self.world.wait(0.4)
        self.assertGreater(self.heard(), first)
        self.world.wait(2.2 * SLICE / 100)
        self.assert_answered(exchange, 200, b"ok")
        self.assertEqual(self.heard(), MANY)

    def test_sessions_have_an_allowance_each(self) -> None:
        self.post(self.open(), body(250))
        self.assert_answered(self.post(self.open(), body(190)), 200, b"ok")

    def test_who_can_not_pong_before_the_answer_is_not_held_to_it(self) -> None:
        exchange = self.post(self.open(), body(6000))
        self.world.wait(50)
        self.assertEqual(exchange.response, None)
        self.world.wait(10)
        self.assert_answered(exchange, 200, b"ok")
        self.assertEqual(self.world.connection.reasons, [])

    def test_who_is_exempt_may_send_as_much_as_it_likes(self) -> None:
        self.exempt = True
        query = self.open()
        for _ in range(3):
            self.assert_answered(self.post(query, body(SLICE // 2)), 200, b"ok")
        self.assertEqual(len(self.asked), 1)
