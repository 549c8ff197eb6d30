"""Filters: what they select, and what they may look like."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.relay.event import Event, Subject
from gateway.relay.selection import MAX_NAMES, Selection, SelectionError, parse


def event(name: str, code: str | None = None, *, trusted: bool = True) -> Event:
    return Event((), None, Subject(name, code, None), trusted=trusted, wall=0.0)


class SelectionTests(SynchronousTestCase):
    def test_equal_wishes_make_equal_selections(self) -> None:
        first = parse({"codes": ["b", "a", "a"], "events": None, "snapshot": True})
        second = parse({"codes": ["a", "b"]})
        self.assertEqual(first, second)
        self.assertEqual(len({first, second}), 1)

    def test_selects_by_name(self) -> None:
        selection = parse({"events": ["market_tick"]})
        self.assertTrue(selection.wants(event("market_tick", "TXFL6")))
        self.assertFalse(selection.wants(event("heartbeat")))

    def test_codes_narrow_only_what_has_a_code(self) -> None:
        selection = parse({"codes": ["TXFL6"]})
        self.assertTrue(selection.wants(event("market_tick", "TXFL6")))
        self.assertFalse(selection.wants(event("market_tick", "2330")))
        self.assertTrue(selection.wants(event("heartbeat")))

    def test_trusted_leaves_out_strangers(self) -> None:
        selection = parse({"trusted": True})
        self.assertTrue(selection.wants(event("heartbeat")))
        self.assertFalse(selection.wants(event("heartbeat", trusted=False)))
        self.assertTrue(parse({}).wants(event("heartbeat", trusted=False)))

    def test_a_wish_that_does_not_mention_trust_changes_nothing_of_it(self) -> None:
        for wish in ({"codes": ["A"]}, {"trusted": None}):
            self.assertTrue(parse(wish, trusted=True).trusted)
            self.assertFalse(parse(wish).trusted)
        self.assertFalse(parse({"trusted": False}, trusted=True).trusted)

    def test_both_must_agree(self) -> None:
        selection = parse({"events": ["market_tick"], "codes": ["TXFL6"]})
        self.assertFalse(selection.wants(event("market_bidask", "TXFL6")))
        self.assertFalse(selection.wants(event("market_tick", "2330")))
        self.assertTrue(selection.wants(event("market_tick", "TXFL6")))

    def test_an_index_knows_all_that_a_choice_of_one_kind_wants(self) -> None:
        for wish in ({"codes": ["A"]}, {"events": ["tick"]}, {"codes": []}):
            self.assertTrue(parse(wish).is_indexed, wish)
            self.assertFalse(parse({**wish, "trusted": True}).is_indexed, wish)
        for wish in ({}, {"codes": ["A"], "events": ["tick"]}):
            self.assertFalse(parse(wish).is_indexed, wish)

    def test_an_empty_list_selects_nothing(self) -> None:
        self.assertFalse(parse({"events": []}).wants(event("market_tick")))

    def test_no_filter_selects_everything(self) -> None:
        self.assertEqual(parse({}), Selection())
        self.assertTrue(Selection().wants(event("anything", "x")))

    def test_malformed_filters_are_refused_by_the_name_of_their_field(self) -> None:
        for wish in ("x", {"a": 1}, [1], [None], ["x" * 101], ["x"] * (MAX_NAMES + 1), 0, False):
            for field in ("events", "codes"):
                error = self.assertRaises(SelectionError, parse, {field: wish})
                self.assertIn(field, str(error))
        for wish in ("yes", 1, 0, [], {}):
            error = self.assertRaises(SelectionError, parse, {"trusted": wish})
            self.assertIn("'trusted' must be", str(error))
