from twisted.trial.unittest import SynchronousTestCase

from gateway.relay.event import Keys


class KeysTests(SynchronousTestCase):
    def setUp(self):
        self.keys = Keys(names=frozenset(("tick", "status")), field="code")

    def test_the_name_and_the_field_of_the_object(self):
        subject = self.keys.of(["tick", {"code": "2330", "close": 1}])
        self.assertEqual(subject[:2], ("tick", "2330"))
        self.assertEqual(subject.key, self.keys.of(["tick", {"code": "2330"}]).key)
        self.assertNotEqual(subject.key, self.keys.of(["tick", {"code": "2317"}]).key)
        self.assertNotEqual(subject.key, self.keys.of(["status", {"code": "2330"}]).key)

    def test_the_name_alone_where_the_object_has_no_code(self):
        keys = {self.keys.of(["status", value]).key for value in ({}, {"code": None})}
        self.assertEqual(len(keys), 1)
        self.assertNotIn(None, keys)

    def test_codes_that_are_numbers_are_told_apart_but_count_for_no_filter(self):
        first, second = (self.keys.of(["tick", {"code": code}]) for code in (2330, 2317))
        self.assertNotEqual(first.key, second.key)
        self.assertEqual(first.code, None)

    def test_what_has_a_code_that_is_neither_text_nor_number_is_never_replaced(self):
        for code in (["2330"], {}, True):
            self.assertEqual(self.keys.of(["tick", {"code": code}]).key, None)

    def test_no_key_for_other_names_or_other_arguments(self):
        for value in (
            ["other", {"code": "2330"}],
            ["tick"],
            ["tick", "2330"],
            ["tick", [{"code": "2330"}]],
            ["tick", {"code": "2330"}, 1],
            [5, {"code": "2330"}],
        ):
            self.assertEqual(self.keys.of(value).key, None, value)

    def test_the_code_counts_for_filters_whatever_the_name_and_the_rest(self):
        self.assertEqual(self.keys.of(["other", {"code": "2330"}, 1])[:2], ("other", "2330"))

    def test_no_name_has_keys_unless_it_is_set(self):
        self.assertEqual(Keys().of(["market_tick", {"code": "TXF"}]).key, None)
