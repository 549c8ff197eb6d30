"""Codes that name one contract, and filters by any of them."""

from __future__ import annotations

from typing import Any

import orjson
from twisted.trial.unittest import SynchronousTestCase

from gateway.market.codes import MAX_LENGTH, MOST, MOST_NAMES, ContractCodes
from tests.relay.test_late_joiners import ScreenTestCase, events


class ContractCodesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.aliases = ContractCodes()

    def learn(self, code: object, target: object) -> bool:
        told = {"code": code, "target_code": target}
        return self.aliases.learn(orjson.dumps(["market_contract", told]))

    def test_each_name_knows_the_others(self) -> None:
        self.assertTrue(self.learn("TXFR1", "TXFL6"))
        self.assertFalse(self.learn("TXFR1", "TXFL6"))
        self.learn("TXFFRONT", "TXFL6")
        self.learn("MXFR1", "MXFL6")
        self.assertEqual(self.aliases.of("TXFL6"), {"TXFR1", "TXFFRONT"})
        self.assertEqual(self.aliases.of("TXFR1"), {"TXFL6", "TXFFRONT"})
        self.assertEqual(self.aliases.of("MXFL6"), {"MXFR1"})
        self.assertEqual(self.aliases.of("2330"), set())
        self.assertEqual(self.aliases.of(None), set())

    def test_the_month_changes(self) -> None:
        self.learn("TXFR1", "TXFL6")
        self.learn("TXFR2", "TXFA7")
        self.assertTrue(self.learn("TXFR1", "TXFA7"))
        self.assertTrue(self.learn("TXFR2", "TXFB7"))
        self.assertEqual(self.aliases.of("TXFL6"), set())
        self.assertEqual(self.aliases.of("TXFA7"), {"TXFR1"})
        self.assertEqual(self.aliases.of("TXFR2"), {"TXFB7"})

    def test_a_contract_that_has_no_target_any_more_is_its_own(self) -> None:
        for target in ("", None, "TXFR1"):
            self.learn("TXFR1", "TXFL6")
            self.assertTrue(self.learn("TXFR1", target))
            self.assertEqual(self.aliases.of("TXFR1") | self.aliases.of("TXFL6"), set())
            self.assertFalse(self.aliases)

    def test_what_makes_no_sense_changes_nothing(self) -> None:
        for code, target in (
            *((None, "A"), ("", "A"), (5, "A"), ("A", 5), ("A", ["B"]), ("A", "")),
            *(("x" * (MAX_LENGTH + 1), "A"), ("A", "x" * (MAX_LENGTH + 1))),
        ):
            self.assertFalse(self.learn(code, target), (code, target))
        for payload in (b"", b"[]", b'["market_contract"]', b'["market_contract",5]', b"[", b"{}"):
            self.assertFalse(self.aliases.learn(payload), payload)

    def test_the_names_of_one_contract_are_bounded(self) -> None:
        for number in range(MOST_NAMES + 5):
            self.learn(f"A{number}", "T")
        self.assertEqual(len(self.aliases.of("T")), MOST_NAMES)

    def test_their_number_is_bounded(self) -> None:
        for number in range(MOST + 10):
            self.learn(f"A{number}", f"T{number}")
        self.assertEqual(self.aliases.of(f"A{MOST}"), set())
        self.assertTrue(self.learn("A0", "other"), "what is known may change")
        self.assertTrue(self.learn("A1", ""), "and go")
        self.assertTrue(self.learn("new", "one"))


class FilterTests(ScreenTestCase):
    def contract(self, code: str, target: str) -> None:
        self.say("market_contract", code=code, target_code=target)

    def heard(self) -> list[Any]:
        self.world.flush()
        return events(self.joined.heard)

    def prices(self, **auth: Any) -> list[Any]:
        return [value["price"] for name, value in self.late(**auth) if name == "market_tick"]

    def test_a_filter_by_the_continuous_code_gets_what_comes_under_the_months(self) -> None:
        self.contract("TXFR1", "TXFL6")
        self.late(events=["market_tick"], codes=["TXFR1"])
        bytes_of_the_sender = '42["market_tick",{"code":"TXFL6",  "price":23005.0}]'
        self.worker.say(bytes_of_the_sender)
        self.say("market_tick", code="MXFL6", price=2)
        self.world.flush()
        self.assertEqual(self.joined.heard, [bytes_of_the_sender])

    def test_and_the_other_way_round(self) -> None:
        self.contract("TXFR1", "TXFL6")
        self.late(codes=["TXFL6"], events=["market_snapshot"])
        self.say("market_snapshot", code="TXFR1", close=1)
        self.assertEqual(len(self.heard()), 1)

    def test_snapshots_know_names_that_were_told_later(self) -> None:
        self.say("market_tick", code="TXFL6", price=1)
        auth = {"codes": ["TXFR1"], "snapshot": True}
        self.assertEqual(self.prices(**auth), [])
        self.contract("TXFR1", "TXFL6")
        self.assertEqual(self.prices(**auth), [1])
        self.contract("TXFR1", "TXFA7")
        self.say("market_tick", code="TXFA7", price=2)
        self.assertEqual(self.prices(**auth), [2])

    def test_contracts_are_told_to_everybody_who_joins_late(self) -> None:
        self.contract("TXFR1", "TXFL6")
        self.contract("2330", "")
        told = [value["code"] for name, value in self.late() if name == "market_contract"]
        self.assertEqual(told, ["TXFR1", "2330"])

    def test_strangers_name_nothing(self) -> None:
        stranger = self.world.client()
        self.say("market_contract", sender=stranger, code="TXFR1", target_code="2330")
        self.late(codes=["TXFR1"])
        self.say("market_tick", code="2330", price=1)
        self.assertEqual([name for name, _ in self.heard()], [])

    def test_a_question_reaches_who_asked_by_the_other_name(self) -> None:
        self.contract("TXFR1", "TXFL6")
        self.late(codes=["TXFR1"])
        self.worker.say('427["ask",{"code":"TXFL6"}]')
        self.assertEqual([name for name, *_ in self.heard()], ["ask"])
