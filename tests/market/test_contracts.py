"""What is known of each code, of the events that told it."""

from __future__ import annotations

from typing import Any

import orjson
from twisted.trial.unittest import SynchronousTestCase

from gateway.market.contracts import MAX_LENGTH, MOST, describe, sessions


def told(name: str, code: str, /, **value: Any) -> tuple[str, str, bytes]:
    return name, code, orjson.dumps([name, {"code": code, **value}])


class DescribeTests(SynchronousTestCase):
    def test_a_contract_keeps_the_fields_that_are_known(self) -> None:
        facts = {
            "target_code": "TXFL6",
            "name": "臺股期近月",
            "category": "TXF",
            "reference": 31_120.0,
            "limit_up": 34_232,
        }
        found = describe([told("market_contract", "TXFR1", timestamp="now", more=[1], **facts)])
        self.assertEqual(found, {"TXFR1": {**facts, "market": "futures", "tick": ((None, 1),)}})

    def test_a_field_of_another_type_is_left_out(self) -> None:
        wrong = {"name": 5, "reference": "31120", "limit_up": True, "exchange": "x" * 101}
        found = describe([told("market_contract", "2330", **wrong, unit=1000)])
        self.assertEqual(set(found["2330"]), {"unit", "market", "tick"})

    def test_a_snapshot_fills_in_what_no_contract_told(self) -> None:
        snapshot = told("market_snapshot", "2330", name="old", reference=1.0, close=5, unit=7)
        for order in (1, -1):
            both = [snapshot, told("market_contract", "2330", name="台積電")][::order]
            found = describe(both)["2330"]
            self.assertEqual((found["name"], found["reference"]), ("台積電", 1.0))
            self.assertNotIn("unit", found)

    def test_a_code_is_listed_by_any_quote(self) -> None:
        found = describe([told("market_tick", "6488"), told("market_bidask", "BTC")])
        self.assertEqual(found["BTC"], {"market": "futures"})
        self.assertEqual(found["6488"]["market"], "stocks")

    def test_what_can_not_be_read_harms_nobody(self) -> None:
        payloads = [b"", b"[", b'["market_contract"]', b'["market_contract",5]', b'[{"a":1},null]']
        payloads.append(b'["market_contract",{"name":"\\ud800"}]')
        found = describe(("market_contract", "2330", each) for each in payloads)
        self.assertEqual(list(found), ["2330"])

    def test_codes_are_bounded_in_number_and_length(self) -> None:
        many = [told("market_tick", f"A{each}") for each in range(MOST + 5)]
        self.assertEqual(len(describe(many)), MOST)
        long = "A" * (MAX_LENGTH + 1)
        self.assertEqual(describe([told("market_tick", long)]), {})


class SessionTests(SynchronousTestCase):
    def test_each_market_tells_its_hours(self) -> None:
        self.assertEqual(
            sessions(),
            {
                "futures": {"sessions": [("08:45", "13:45"), ("15:00", "05:00")]},
                "stocks": {"sessions": [("09:00", "13:30")]},
            },
        )
