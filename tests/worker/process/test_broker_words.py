"""The broker is heard wherever it speaks, and a flood costs one look a second."""

from __future__ import annotations

from functools import partial

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.lifecycle.classification import imposed
from gateway.worker.process.output import AROUND, LOOK_INTERVAL, MAX_PENDING, BrokerWords
from tests.worker.fakes import Time

BAN = "login: StatusCode: 503, Detail: 操作異常，請1分鐘後再重新登入"
BAR = "".join(f"\r{part:3}%|{'█' * (part // 10):10}|" for part in range(0, 101, 5))


class HearingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.time = Time()
        self.heard: list[str] = []
        self.looks = 0

        def look(text: str) -> str | None:
            self.looks += 1
            self.longest = max(getattr(self, "longest", 0), len(text))
            return imposed(text)

        self.broker_words = BrokerWords(self.time, look, self.heard.append)

    def say(self, *texts: str) -> None:
        for text in texts:
            self.broker_words.feed(text.encode())

    def test_wherever_it_stands(self) -> None:
        for text in (
            f"{BAN}\n",
            f"{BAR}\r{BAN}\r",
            "x" * 100_000 + f" {BAN} " + "y" * 100_000,
            f"\x1b[31m{BAN}\x1b[0m\n",
            f"before\n{BAN}\r\nafter\n",
        ):
            with self.subTest(text=text[:20]):
                self.setUp()
                self.say(text)
                self.assertEqual(self.heard, ["ban"])

    def test_half_a_line_is_heard_when_no_more_comes(self) -> None:
        self.say(BAN)
        self.assertEqual(self.heard, [])
        self.broker_words.flush()
        self.assertEqual(self.heard, ["ban"])

    @hypothesis_settings(max_examples=50, deadline=None)
    @given(st.lists(st.integers(1, 60), min_size=1, max_size=60), st.integers(0, 3 * AROUND))
    def test_however_it_is_cut(self, sizes, before) -> None:
        self.setUp()
        data = ("." * before + f"{BAR}\r{BAN}\n").encode()
        at = 0
        for number in range(len(data)):
            size = sizes[number % len(sizes)]
            self.broker_words.feed(data[at : at + size])
            at += size
        self.broker_words.flush()
        self.assertEqual(self.heard, ["ban"])

    def test_a_flood_costs_one_look_a_second_and_is_one_word(self) -> None:
        for _ in range(1000):
            self.say(f"{BAN}\n")
        self.assertEqual((self.looks, self.heard), (1, ["ban"]))
        self.time.advance(LOOK_INTERVAL)
        self.assertEqual((self.looks, self.heard), (2, ["ban"] * 2))
        self.time.advance(10)
        self.assertEqual(self.looks, 2)

    def test_a_flood_of_other_lines_hides_nothing_and_is_bounded(self) -> None:
        for number in range(10_000):
            self.say(f"volume 503 at {number}\n")
        self.time.advance(LOOK_INTERVAL)
        self.assertLessEqual(self.looks, MAX_PENDING + 1)
        self.assertLessEqual(self.longest, 3 * AROUND)
        self.say(f"{BAN}\n")
        self.time.advance(LOOK_INTERVAL)
        self.assertEqual(self.heard, ["ban"])

    def test_a_flood_of_quotes_hides_nothing_that_comes_in_the_same_second(self) -> None:
        for number in range(10_000):
            self.say(f'{{"code": "TXO2{number}", "close": 503, "volume": {number}}}\n')
        self.say(f"{BAN}\n")
        self.time.advance(LOOK_INTERVAL)
        self.assertEqual(self.heard, ["ban"])
        self.assertLess(self.looks, 10)

    def test_prices_are_not_even_looked_at(self) -> None:
        self.say(*(f"TXFL6 {price}503.0 4510 15031\n" for price in range(1, 100)))
        self.time.advance(LOOK_INTERVAL)
        self.assertEqual(self.looks, 0)

    def test_with_only_the_brokers_own_wording(self) -> None:
        broker_words = BrokerWords(self.time, partial(imposed, own=True), self.heard.append)
        broker_words.feed(b"HTTP 503\n")
        self.time.advance(LOOK_INTERVAL)
        broker_words.feed(f"{BAN}\n".encode())
        self.assertEqual(self.heard, ["ban"])

    def test_memory_is_bounded_without_line_ends(self) -> None:
        for _ in range(1000):
            self.say("x" * 8192)
        self.assertLessEqual(len(self.broker_words._rest), AROUND)
