"""One entry of the log."""

from twisted.trial.unittest import SynchronousTestCase

from gateway.cluster.entry import Entry
from gateway.cluster.places import Place


def entry(id, **fields):
    flat = [word.encode() for pair in fields.items() for word in pair]
    return Entry.of(id.encode(), flat)


class EntryTests(SynchronousTestCase):
    def test_it_ends_at_its_id_and_begins_so_many_places_before(self):
        made = entry("7-105", k="b", c="5")
        self.assertEqual((made.start, made.place), (Place(7, 100), Place(7, 105)))
        self.assertEqual(made.after, Place(7, 100))
        self.assertFalse(made.begins_epoch)

    def test_an_epoch_comes_after_the_end_of_the_one_before_it(self):
        made = entry("9-105", k="e", c="0", e="7-103")
        self.assertEqual((made.after, made.begins_epoch), (Place(7, 103), True))
        self.assertEqual(entry("9-0", k="e", c="0", e="").after, Place(0, 0))

    def test_what_no_gateway_wrote_can_be_passed_over(self):
        for fields in ({}, {"c": "x"}, {"k": "b", "c": "-1"}, {"k": "e", "e": "x"}, {"k": "e"}):
            made = entry("9-105", **fields)
            self.assertEqual(made.start, made.place, fields)
            self.assertIn(made.after, (made.place, Place(0, 0)))
