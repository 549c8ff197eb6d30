"""What a process before this one left stays packed until somebody asks for it."""

import random
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from gateway.relay import memory, past
from gateway.relay.event import OVERHEAD
from gateway.relay.ring import UnusableError
from tests.relay.remembering import RememberingWorld
from tests.relay.test_memory import offset, with_offset
from tests.relay.world import KEYED


class PackedTests(SynchronousTestCase):
    def setUp(self):
        self.world = RememberingWorld(recovery_time=60)
        self.sender = self.world.client()
        self.world.watcher.trusted.add(self.sender.reply["sid"])
        self.client = self.world.client(recover=True)

    def say(self, count, name="e"):
        for number in range(count):
            self.sender.emit(name, {"code": "AB"[number % 2], "n": number})
            self.world.flush()

    def after(self, **given):
        return RememberingWorld(before=self.world, recovery_time=60, **given)

    def test_a_start_makes_the_newest_of_each_key_alone(self):
        self.say(50, KEYED)
        self.say(50)
        with patch.object(past, "Event", wraps=past.Event) as made:
            after = self.after()
        self.assertEqual(made.call_count, 2)
        self.assertEqual((after.log._events, len(after.log._past)), ([], 100))

    def test_a_client_that_comes_back_has_those_made_that_it_missed(self):
        self.say(100)
        after = self.after()
        with patch.object(past, "Event", wraps=past.Event) as made:
            self.assertEqual(len(after.back(self.client, offset(89)).after), 10)
            self.assertEqual(made.call_count, 10)
            self.assertEqual(len(after.back(self.client, offset(84)).after), 15)
            self.assertEqual(made.call_count, 15)
        self.assertEqual(len(after.log._past), 85)

    def test_all_of_it(self):
        self.say(100)
        after = self.after()
        self.assertEqual(len(after.back(self.client).after), 100)
        self.assertEqual(after.log._past, None)

    def test_places_in_bytes_are_as_if_nothing_was_packed(self):
        self.say(20)
        sizes = [each.size + OVERHEAD for each in self.world.log._events]
        after = self.after()
        after.back(self.client, offset(9))
        after.back(self.client, offset(4))
        events = after.log.between(5, 20)
        starts = [each.start for each in events]
        self.assertEqual(starts, [after.log.start_of(20) - sum(sizes[at:]) for at in range(5, 20)])
        self.assertEqual(after.log.start_of(0), after.log.start_of(20) - sum(sizes))
        self.assertEqual({each.epoch for each in events}, {after.log.epoch})

    def test_what_is_over_the_bounds_is_forgotten(self):
        self.say(100)
        after = self.after(log_records=50)
        keeper, speaker = after.client(recover=True), after.client()
        for _ in range(60):
            speaker.emit("more")
            after.flush()
            self.assertEqual(len(after.log._past or ()) + len(after.log._events), 50)
        self.assertIsNone(after.log._past)
        fresh = after.back(self.client, offset(98))
        self.assertNotEqual(fresh.reply["sid"], self.client.reply["sid"])
        del keeper

    def test_what_is_over_the_bounds_in_bytes_is_forgotten(self):
        self.say(100)
        after = self.after(log_bytes=100 * (OVERHEAD + 50))
        keeper, speaker = after.client(recover=True), after.client()
        speaker.emit("more", "x" * 50 * (OVERHEAD + 50))
        after.flush()
        self.assertLess(len(after.log._past), 60)
        self.assertGreater(len(after.log._past), 40)
        del keeper

    def test_nothing_is_left_when_nobody_can_come_back(self):
        self.client.lose()
        self.say(10)
        after = self.after()
        after.wait(61)
        after.client().emit("more")
        after.flush()
        self.assertIsNone(after.log._past)

    def test_a_client_that_asks_for_more_than_there_is_has_nothing_made(self):
        self.say(100)
        after = self.after(log_records=50)
        after.client().emit("more")
        after.flush()
        with patch.object(past, "Event", wraps=past.Event) as made:
            back = after.back(self.client, offset(0))
        self.assertNotEqual(back.reply["sid"], self.client.reply["sid"])
        self.assertEqual(made.call_count, 0)

    def test_a_ring_that_is_made_anew_has_it_too(self):
        self.say(10)
        after = self.after()
        after.memory.lose()
        after.memory.open()
        last = RememberingWorld(before=after)
        back = last.back(self.client, offset(7))
        self.assertEqual(len(back.after), 2)

    def test_what_newer_ones_replace_is_known_of_what_is_recalled_later(self):
        other = self.world.client(recover=True)
        self.say(20, KEYED)
        after = self.after()
        for client, at in ((self.client, 9), (other, 3)):
            after.back(client, offset(at))
            after.log.mark_outdated()
        outdated = [each.outdated for each in after.log.between(4, 20)]
        self.assertEqual(outdated, [True] * 14 + [False] * 2)

    def test_what_makes_no_sense_is_found_at_the_start(self):
        """Later nobody could begin anew."""
        head = memory._head
        for more in (-1, 1):
            world = RememberingWorld()
            with patch.object(memory, "_head", lambda *args, n=more: head(*args[:2], args[2] + n)):
                world.client().emit("a")
                world.flush()
            with self.assertRaisesRegex(UnusableError, "another length"):
                world.remembered()


class ModelTests(SynchronousTestCase):
    """Clients that come back in any order, at any place, get what an endless log would give."""

    def run_one(self, seed):
        rng = random.Random(seed)
        world = RememberingWorld(recovery_time=60)
        clients = [world.client(recover=True) for _ in range(6)]
        speakers = [*clients[:2], world.client()]
        said = []
        for _ in range(rng.choice((0, 1, 40))):
            for _ in range(rng.choice((1, 1, 7))):
                speaker = rng.choice(speakers)
                said.append((f"e{len(said)}", speaker))
                speaker.emit(said[-1][0])
            world.flush()
        after = RememberingWorld(before=world, recovery_time=60)
        speaker = after.client()
        rng.shuffle(clients)
        for client in clients:
            at = rng.randrange(-1, len(said))
            back = after.back(client, offset(at) if at >= 0 else None)
            missed = [
                with_offset(name, place)
                for place, (name, sender) in enumerate(said)
                if place > at and sender is not client
            ]
            self.assertEqual(back.after, missed, (seed, at))
            said.append((f"e{len(said)}", speaker))
            speaker.emit(said[-1][0])
            after.flush()

    def test_many(self):
        for seed in range(20):
            self.run_one(seed)
