"""Positions of a gateway's own log and places in the shared one."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.cluster.places import FORGOTTEN, Place, Places
from gateway.relay.journal import Offset
from tests.untraced import untraced


class PlacesTests(SynchronousTestCase):
    def setUp(self):
        self.places = Places()
        self.places.begin(Place(7, 100), 100)

    def follow(self, number, position, length, epoch=7):
        place = Place(epoch, number)
        self.places.follow(place, position, length)
        self.places.passed(Place(epoch, number + length))
        return self.places.name(place, position)

    def test_with_the_same_events_in_both_an_offset_is_the_position(self):
        self.assertEqual(self.follow(100, 100, 3), "7")
        self.assertEqual(self.places.position(Offset("7", 102)), 102)
        self.assertEqual(self.places.offset(101), Offset("7", 101))

    def test_a_mark_has_a_place_and_no_position(self):
        self.follow(100, 100, 2)
        self.places.passed(Place(7, 103))  # one mark
        self.assertEqual(self.follow(103, 102, 2), "7.1")
        self.assertEqual(self.places.position(Offset("7", 102)), 102)
        self.assertEqual(self.places.position(Offset("7", 103)), 102)
        self.assertEqual(self.places.position(Offset("7.1", 103)), 103)
        self.assertEqual(self.places.offset(102), Offset("7", 103))

    def test_what_an_island_told_has_no_place(self):
        self.follow(100, 100, 2)
        self.follow(102, 105, 2)  # three events of an island stand between
        self.assertEqual(self.places.position(Offset("7", 102)), 105)
        self.assertEqual(self.places.offset(103), Offset("7", 102))

    def test_what_was_not_read_has_no_position(self):
        self.follow(100, 100, 2)
        self.assertEqual(self.places.position(Offset("7", 102)), 102)
        self.assertIsNone(self.places.position(Offset("7", 103)))
        self.assertIsNone(self.places.position(Offset("8", 101)))
        offsets = (Offset("7", 101), Offset("7", 102), Offset("8", 1), Offset("x", 500))
        self.assertEqual([*map(self.places.awaits, offsets)], [False, True, True, False])

    def test_what_is_older_is_forgotten_and_not_unknown(self):
        self.assertEqual(self.places.position(Offset("7", 99)), FORGOTTEN)
        self.assertEqual(self.places.position(Offset("6", 400)), FORGOTTEN)

    def test_offsets_of_before_a_restart_of_redis_hold(self):
        self.follow(100, 100, 3)
        self.places.passed(Place(9, 103))
        self.follow(103, 103, 3, epoch=9)
        self.assertEqual(self.places.position(Offset("7", 101)), 101)
        self.assertEqual(self.places.position(Offset("7", 103)), 103)
        self.assertEqual(self.places.position(Offset("9", 104)), 104)

    def test_a_gateway_that_never_read_what_the_log_lost_does_not_know_it(self):
        self.follow(100, 100, 3)
        self.places.passed(Place(9, 103))
        self.follow(103, 103, 3, epoch=9)
        self.assertIsNone(self.places.position(Offset("7", 104)))

    def test_other_texts_are_no_places(self):
        for epoch in ("", "x", "7.", "7.x", "7.1.1", "0123abcd"):
            found = self.places.position(Offset(epoch, 100))
            self.assertIn(found, (None, 100) if epoch == "7." else (None,), epoch)

    def test_runs_of_what_the_log_forgot_are_forgotten(self):
        for number in range(1000):  # after each event a mark
            self.follow(100 + 2 * number, 100 + number, 1)
            self.places.forget(100 + number - 10)
        self.assertLess(len(self.places._runs), 300)
        self.assertEqual(self.places.position(Offset("7", 100 + 2 * 999)), 1099)
        self.assertEqual(self.places.position(Offset("7", 100)), FORGOTTEN)


class EarlyTests(SynchronousTestCase):
    """An island told three events at 102 while others said one: 102 in the log, after theirs."""

    def setUp(self):
        self.waiting = [102, 103, 104]
        self.places = Places(lambda: next(iter(self.waiting), None))
        self.places.begin(Place(7, 100), 100)
        self.follow(100, 100, 2)
        self.follow(102, 105, 1)

    def follow(self, number, position, length):
        self.places.follow(Place(7, number), position, length)
        self.places.passed(Place(7, number + length))

    def arrive(self):
        while self.waiting:
            position = self.waiting.pop(0)
            self.places.follow_early(Place(7, position + 1), position)
        self.places.passed(Place(7, 106))

    def position(self, number):
        return self.places.position(Offset("7", number))

    def since(self, *numbers):
        offsets = [Offset("7", number) for number in numbers]
        return [self.places.since(each, self.places.position(each)) for each in offsets]

    def test_while_they_have_no_place_whoever_comes_gets_all_of_them(self):
        self.assertEqual([self.position(number) for number in (101, 102, 103)], [101, 105, 106])
        self.assertEqual(self.since(101, 102, 103), [101, 102, 102])

    def test_when_they_have_places_nobody_misses_one_that_he_has_not_got(self):
        self.arrive()
        self.assertEqual(self.since(101, 102, 103, 104, 105, 106), [101, 102, 102, 103, 104, 106])
        self.follow(106, 106, 1)
        self.assertEqual(self.position(102), 105)
        self.assertEqual(self.since(102, 105, 106, 107), [102, 104, 106, 107])

    def test_who_was_away_since_before_them_is_forgotten_when_they_are(self):
        self.arrive()
        self.follow(106, 106, 5)
        self.places.forget(104)
        self.assertLess(min(self.since(102)), 104)
        self.places.forget(107)
        self.assertFalse(self.places._early)
        self.assertLess(self.position(105), 107)

    def test_a_new_beginning_knows_none(self):
        self.arrive()
        self.places.begin(Place(7, 100), 100)
        self.follow(100, 100, 20)
        self.assertEqual((self.position(103), self.since(103)), (103, [103]))

    def test_what_was_said_again_to_a_server_that_had_lost_it_is_not_found_by_its_new_place(self):
        self.arrive()
        self.places.passed(Place(9, 106))
        self.places.skip(Place(9, 110))
        self.places.passed(Place(9, 110))
        self.places.follow(Place(9, 110), 106, 2)
        self.places.passed(Place(9, 112))
        again = [self.places.position(Offset("9", number)) for number in (106, 109, 110, 111)]
        self.assertEqual(again, [None, None, 106, 107])
        self.assertEqual([self.position(number) for number in (101, 106)], [101, 106])


KINDS = st.lists(st.tuples(st.sampled_from("eeemir"), st.integers(1, 4)), max_size=40)


class ModelTests(SynchronousTestCase):
    """Events, marks, islands and restarts of Redis in any order, against a list of all places."""

    @untraced
    @settings(deadline=None, max_examples=150)
    @given(KINDS)
    def test_it_is_what_a_list_says(self, story):
        places = Places()
        epoch, number, position = 5, 50, 20
        places.begin(Place(epoch, number), position)
        held: list[Place | None] = []  # by position, from 20 on
        passed: list[tuple[Place, int]] = []  # each place, and the position of what follows
        for kind, count in story:
            if kind == "e":
                name = places.name(Place(epoch, number), position)
                places.follow(Place(epoch, number), position, count)
                for _ in range(count):
                    held.append(Place(epoch, number))
                    passed.append((Place(epoch, number), position))
                    found = places.position(Offset(name, position))
                    self.assertEqual(found, position)
                    number, position = number + 1, position + 1
            elif kind == "m":
                number += count
            elif kind == "i":
                held += [None] * count
                position += count
            else:
                epoch += 1
                places.passed(Place(epoch, number))
            places.passed(Place(epoch, number))
        for place, at in passed:
            self.assertEqual(places.position(Offset(str(place.epoch), place.number)), at)
        for at in range(20, 20 + len(held)):
            later = [each for each in held[at - 20 :] if each is not None]
            expected = later[0] if later else places.read
            self.assertEqual(places.place(at), expected)
