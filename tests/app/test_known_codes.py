"""`GET /codes`: what the relay's snapshot tells of each code."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.app.known_codes import KEPT_FOR, KnownCodes
from tests.relay.world import RelayWorld, market


class KnownCodesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = RelayWorld(**market())
        self.newest: dict[str, float] = {}
        self.time = 0.0
        self.codes = KnownCodes(self.world.hub, self.newest.get, "Asia/Taipei", lambda: self.time)
        self.worker = self.world.client()
        self.world.watcher.trusted.add(self.worker.reply["sid"])

    def tell(self, name: str, /, **value: Any) -> None:
        self.worker.emit(name, value)
        self.world.flush()

    def ask(self) -> dict[str, Any]:
        self.time += KEPT_FOR
        found: dict[str, Any] = self.codes()["codes"]
        return found

    def test_both_codes_of_a_contract_know_each_other_and_its_newest_tick(self) -> None:
        self.tell("market_contract", code="TXFR1", target_code="TXFL6", name="臺股期近月")
        self.tell("market_tick", code="TXFL6", close=31_268)
        self.newest["TXFL6"] = 1.8e9
        found = self.ask()
        self.assertEqual(found["TXFR1"]["aliases"], ["TXFL6"])
        self.assertEqual(found["TXFL6"]["aliases"], ["TXFR1"])
        self.assertEqual([found[code]["newest"] for code in ("TXFR1", "TXFL6")], [1.8e9] * 2)
        self.assertEqual(found["TXFR1"]["name"], "臺股期近月")

    def test_a_code_without_a_tick_has_no_time(self) -> None:
        self.tell("market_bidask", code="2330")
        self.assertIsNone(self.ask()["2330"]["newest"])

    def test_the_newest_word_on_a_contract_counts(self) -> None:
        for name in ("old", "new"):
            self.tell("market_contract", code="2330", name=name)
        self.assertEqual(self.ask()["2330"]["name"], "new")

    def test_strangers_tell_nothing(self) -> None:
        self.world.client().emit("market_contract", {"code": "2330", "name": "forged"})
        self.world.flush()
        self.assertEqual(self.ask(), {})

    def test_codes_that_are_no_text_are_left_out(self) -> None:
        self.tell("market_tick", code=2330)
        self.tell("market_tick")
        self.assertEqual(self.ask(), {})

    def test_an_answer_is_kept_for_a_while(self) -> None:
        self.ask()
        self.tell("market_tick", code="2330")
        self.assertEqual(self.codes()["codes"], {})
        self.assertEqual(list(self.ask()), ["2330"])

    def test_a_gateway_that_relays_no_market_knows_no_codes(self) -> None:
        codes = KnownCodes(None, self.newest.get, "Europe/London", lambda: 0.0)()
        self.assertEqual(codes["codes"], {})
        self.assertEqual(codes["timezone"], "Europe/London")
        self.assertEqual(codes["markets"]["stocks"]["sessions"], [("09:00", "13:30")])
