"""A relay is killed, and another one goes on as if nothing had happened."""

import random

from twisted.trial.unittest import SynchronousTestCase

from gateway.relay.event import Keys
from gateway.relay.ring import UnusableError
from tests.relay.remembering import RememberingWorld
from tests.relay.world import EPOCH, KEYED, market


def offset(position):
    return f"{EPOCH}-{position}"


def with_offset(name, position):
    return f'42["{name}","{offset(position)}"]'


class AfterKillTests(SynchronousTestCase):
    def setUp(self):
        self.world = RememberingWorld()
        self.sender = self.world.client()

    def say(self, *names):
        for name in names:
            self.sender.emit(name)
        self.world.flush()

    def test_a_client_gets_what_it_missed_and_nothing_twice(self):
        client = self.world.client(recover=True)
        self.say("a", "b", "c")
        after = RememberingWorld(before=self.world)
        speaker = after.client()
        speaker.emit("d")
        after.flush()
        back = after.back(client, offset(0))
        self.assertEqual(
            back.after, [with_offset(*each) for each in (("b", 1), ("c", 2), ("d", 3))]
        )
        self.assertEqual(back.reply, client.reply)

    def test_over_many_kills(self):
        world, client, missed = self.world, self.world.client(recover=True), []
        for number in range(5):
            world.client().emit(f"e{number}")
            world.flush()
            missed.append(with_offset(f"e{number}", number))
            world = RememberingWorld(before=world)
        self.assertEqual(world.back(client, offset(0)).after, missed[1:])

    def test_one_that_had_heard_nothing_yet(self):
        self.say("before")
        client = self.world.client(recover=True)
        self.say("a")
        back = RememberingWorld(before=self.world).back(client)
        self.assertEqual(back.after, [with_offset("a", 1)])

    def test_one_with_a_filter_and_one_that_changed_it(self):
        plain = self.world.client(recover=True, events=["a"])
        changed = self.world.client(recover=True, events=["b"])
        changed.emit("sjgateway:subscribe", {"events": ["c"]})
        self.world.flush()
        self.say("a", "b", "c")
        after = RememberingWorld(before=self.world)
        self.assertEqual(after.back(plain, events=["a"]).after, [with_offset("a", 0)])
        self.assertEqual(after.back(changed, events=["b"]).after, [with_offset("c", 2)])

    def test_one_that_was_sent_a_snapshot_and_may_not_have_got_it(self):
        self.world.watcher.trusted.add(self.sender.reply["sid"])
        self.sender.emit(KEYED, {"code": "A"})
        self.world.flush()
        client = self.world.client(recover=True)
        back = RememberingWorld(before=self.world).back(client)
        self.assertNotEqual(back.reply["sid"], client.reply["sid"])

    def test_one_that_said_goodbye_does_not_come_back(self):
        client = self.world.client(recover=True)
        self.say("a")
        client.say("41")
        self.say("b")
        for world in (RememberingWorld(before=self.world),):
            back = world.back(client, offset(0))
            self.assertNotEqual(back.reply["sid"], client.reply["sid"])

    def test_nobody_comes_back_after_the_recovery_time(self):
        client = self.world.client(recover=True, events=["a"])
        after = RememberingWorld(before=self.world, recovery_time=60)
        after.wait(61)
        back = after.back(client, events=["a"])
        self.assertNotEqual(back.reply["sid"], client.reply["sid"])
        self.assertFalse(after.log.retain and not after.hub._recovery.present())

    def test_a_clients_own_events_are_not_sent_to_it(self):
        client = self.world.client(recover=True)
        self.say("a")
        client.emit("own")
        self.say("b")
        back = RememberingWorld(before=self.world).back(client, offset(0))
        self.assertEqual(back.after, [with_offset("b", 2)])

    def test_attachments_and_questions(self):
        client = self.world.client(recover=True)
        self.say("a")
        self.sender.say('451-["bin",{"_placeholder":true,"num":0}]', b"\x1e45\x00")
        self.sender.emit("question", id=5)
        self.say("b")
        after = RememberingWorld(before=self.world)
        back = after.back(client, offset(0))
        self.assertEqual(
            back.after,
            [
                f'451-["bin",{{"_placeholder":true,"num":0}},"{offset(1)}"]',
                b"\x1e45\x00",
                with_offset("b", 3),
            ],
        )
        after.log.recall()
        self.assertEqual([each.acked for each in after.log._events], [False, False, True, False])

    def test_texts_that_can_not_be_read_together(self):
        """One has half a surrogate pair, one is large, one asks."""
        for odd in ('42["odd","\\ud800"]', f'42["odd","{"x" * 5000}"]', '427["odd"]'):
            world = RememberingWorld()
            sender = world.client()
            sender.emit("a")
            sender.say(odd)
            sender.emit("b", {"code": "A"})
            world.flush()
            found = [(each.name, each.code) for each in world.remembered().past.take(0)]
            self.assertEqual(found, [("a", None), ("odd", None), ("b", "A")])

    def test_what_each_is_about_is_known_again(self):
        """Whatever stands beside it in one turn."""
        usual = f'["{KEYED}",{{"code":"A","more":[1]}}]'
        odd = (
            '["%s",{"code":"A"},1]',
            '["%s",{"code":"A"},null]',
            '["%s",{"code":7}]',
            '["%s",{"code":true}]',
            '["%s",{"code":null}]',
            '["%s",{}]',
            '["%s",{"code":["A"]}]',
            '["%s","A"]',
            '["%s"]',
            '["%s",{"code":"A","text":"\\ud800"}]',
            '["other",{"code":"A"}]',
            '[7,{"code":"A"}]',
        )
        for text in odd:
            world = RememberingWorld()
            keeper = world.client(recover=True)
            for each in (usual, text.replace("%s", KEYED), usual):
                world.client().say(f"42{each}")
            world.flush()
            about = [
                [(each.name, each.code, each.key) for each in events]
                for events in (world.remembered().past.take(0), world.log._events)
            ]
            self.assertEqual(about[0], about[1], text)
            self.assertEqual(len(about[0]), 3)
            del keeper

    def test_an_answer_to_a_question_of_before_does_nothing(self):
        client = self.world.client(recover=True)
        self.sender.emit("question", id=5)
        self.world.flush()
        after = RememberingWorld(before=self.world)
        back = after.back(client)
        asker = after.client()
        back.say('430["late"]')
        after.flush()
        self.assertEqual(asker.heard, [])
        self.assertTrue(back.is_open)

    def test_positions_go_on_and_are_never_given_twice(self):
        self.say("a", "b")
        after = RememberingWorld(before=self.world)
        self.assertEqual((after.log.epoch, after.log.head), (EPOCH, 2))
        self.assertEqual(after.log.count, 0)
        self.assertEqual(after.log.payload_bytes, 0)

    def test_an_event_that_nobody_was_sent_yet(self):
        """It is packed at the end of the turn, before anything is sent."""
        self.sender.emit("a")
        self.assertEqual(self.world.remembered().head, 0)
        self.world.turn()
        self.assertEqual(self.world.remembered().head, 1)

    def test_each_namespace_has_its_own(self):
        world = RememberingWorld(namespaces=("/", "/x"))
        client = world.client()
        client.join("/x")
        client.say('42/x,["a"]')
        world.flush()
        self.assertEqual(world.remembered("/x").head, 1)
        self.assertEqual(world.remembered("/").head, 0)
        with self.assertRaises(UnusableError):
            world.remembered("/x", namespace="/y")


class SnapshotTests(SynchronousTestCase):
    def world(self, **given):
        world = RememberingWorld(**market(quotes=True), **given)
        world.watcher.trusted.add("*")
        world.watcher.is_worker = lambda _: False
        world.watcher.trusts = lambda _: True
        return world

    def test_values_whose_events_are_no_longer_in_the_ring(self):
        world = self.world(history=4096)
        sender = world.client()
        sender.emit("market_tick", {"code": "old"})
        for number in range(500):
            sender.emit("market_tick", {"code": "busy", "n": number})
            world.flush()
        after = self.world(before=world, history=4096)
        late = after.client()
        self.assertEqual(
            late.after,
            ['42["market_tick",{"code":"old"}]', '42["market_tick",{"code":"busy","n":499}]'],
        )

    def test_more_values_than_a_half_has_room_for(self):
        world = self.world()
        sender = world.client()
        client = world.client(recover=True)
        for number in range(300):
            sender.emit("market_tick", {"code": f"{number}", "more": "x" * 10_000})
            world.flush()
        self.assertGreater(world.rings.made, 1)
        known = world.remembered()
        self.assertEqual(known.head, 300)
        events = known.past.take(0)
        self.assertEqual(
            [each.position for each in events][-len(world.log._events) :],
            [each.position for each in world.log._events],
        )
        self.assertEqual(len({each.key for each in (*known.values, *events)}), 300)
        del client

    def test_a_ring_is_never_found_without_a_sign_of_life(self):
        """A kill may come at once, and then the time since the last sign decides who comes back."""
        world = self.world()
        world.memory.lose()
        world.memory.sign(1000)
        world.memory.open()
        self.assertEqual(world.remembered().alive, 1)
        sender = world.client()
        made = world.rings.made
        for number in range(300):
            sender.emit("market_tick", {"code": f"{number}", "more": "x" * 10_000})
            world.flush()
        self.assertGreater(world.rings.made, made)
        self.assertEqual(world.remembered().alive, 1)

    def test_readiness_waits_for_the_worker(self):
        world = self.world()
        world.client().emit("shioaji_ready", {})
        world.flush()
        ready = ['42["shioaji_ready",{}]']
        self.assertEqual(self.world(before=world).client().after, ready)
        after = self.world(before=world, supervised=True)
        self.assertEqual(after.client().after, [])
        after.relay.worker_returned()
        self.assertEqual(after.client().after, ready)
        another = self.world(before=world, supervised=True)
        another.relay.worker_gone()
        another.relay.worker_returned()
        self.assertEqual(another.client().after, [])

    def test_readiness_of_a_worker_that_had_ended(self):
        world = self.world()
        world.watcher.worker_lives = False
        world.client().emit("shioaji_ready", {})
        world.flush()
        after = self.world(before=world, supervised=True)
        after.relay.worker_returned()
        self.assertEqual(after.client().after, [])

    def test_codes_that_name_one_contract(self):
        world = self.world()
        sender = world.client()
        sender.emit("market_contract", {"code": "TXFR1", "target_code": "TXFL6"})
        sender.emit("market_tick", {"code": "TXFL6"})
        world.flush()
        after = self.world(before=world)
        tick = '42["market_tick",{"code":"TXFL6"}]'
        self.assertIn(tick, after.client(codes=["TXFR1"]).after)
        after.log.recall()
        self.assertEqual([bool(each.aliases) for each in after.log._events], [True, True])

    def test_a_new_log_has_the_old_values(self):
        world = self.world()
        world.client().emit("market_tick", {"code": "A"})
        world.flush()
        after = self.world(before=world, goes_on=False)
        self.assertEqual(after.client().after, ['42["market_tick",{"code":"A"}]'])
        after.log.recall()
        self.assertEqual(after.log._events, [])
        client = world.client(recover=True)
        self.assertNotEqual(after.back(client, offset(0)).reply["sid"], client.reply["sid"])

    def test_nothing_of_a_demonstration(self):
        world = self.world()
        world.client().emit("market_tick", {"code": "A", "demo": True})
        world.flush()
        with self.assertRaisesRegex(UnusableError, "not the market's own"):
            world.remembered()


class OptionsTests(SynchronousTestCase):
    def test_other_keys_and_bounds(self):
        world = RememberingWorld()
        client = world.client(recover=True)
        sender = world.client()
        for number in range(50):
            sender.emit("other", {"id": number})
        world.flush()
        keys = Keys(names=frozenset(("other",)), field="id")
        after = RememberingWorld(before=world, keys=keys, log_records=10, history=1 << 15)
        after.client().emit("more")
        after.flush()
        self.assertEqual(len(after.back(client, offset(45)).after), 5)
        self.assertEqual(after.log.at(49).key, ("other", 49))
        self.assertEqual(len(after.log._events), 10)


class FailingTests(SynchronousTestCase):
    def test_no_room_for_a_larger_ring(self):
        world = RememberingWorld(history=4096, **market())
        world.watcher.trusts = lambda _: True
        sender = world.client()
        sender.emit("market_tick", {"code": "A"})
        world.flush()
        world.rings.full = True
        for number in range(300):
            sender.emit("market_tick", {"code": f"{number}", "more": "x" * 10_000})
            world.flush()
        self.assertEqual(world.log.head, 301)
        self.assertFalse(world.memory.is_open)
        with self.assertRaises(UnusableError):
            world.remembered()
        self.flushLoggedErrors(OSError)
        world.rings.full = False
        world.memory.open()
        self.assertEqual(world.remembered().head, 301)

    def test_an_event_larger_than_all_history(self):
        world = RememberingWorld(history=4096)
        sender = world.client()
        sender.emit("a")
        world.flush()
        sender.emit("large", "x" * (3 << 20))
        sender.emit("b")
        world.flush()
        sender.emit("c")
        world.flush()
        known = world.remembered()
        self.assertEqual(known.head, 4)
        self.assertEqual([each.name for each in known.past.take(0)], ["c"])

    def test_a_ring_that_is_removed_is_made_anew_with_what_the_log_holds(self):
        world = RememberingWorld()
        client = world.client(recover=True)
        world.client().emit("a")
        world.flush()
        world.memory.lose()
        world.client().emit("b")
        world.flush()
        world.memory.open()
        world.client().emit("c")
        world.flush()
        back = RememberingWorld(before=world).back(client, offset(0))
        self.assertEqual(back.after, [with_offset("b", 1), with_offset("c", 2)])

    def test_the_clock_went_back(self):
        world = RememberingWorld()
        world.wait(1000)
        world.client().emit("a")
        world.flush()
        known = world.remembered(now=5.0)
        self.assertEqual(known.past.take(0)[0].wall, 5.0)


class ModelTests(SynchronousTestCase):
    """Random clients, sizes and turns: at each turn's end the memory holds what the log holds."""

    def fields(self, event):
        sender = event.sender
        pid = None if sender is None else sender.pid
        names = "packets", "name", "code", "key", "acked", "trusted", "current", "position"
        return [getattr(event, name) for name in names] + [pid]

    def run_one(self, seed):
        rng = random.Random(seed)
        world = RememberingWorld(history=rng.choice((2048, 1 << 14)), log_records=100)
        clients = [world.client(**rng.choice(({}, {"recover": True}))) for _ in range(4)]
        world.watcher.trusted.add(clients[0].reply["sid"])
        keeper = world.client(recover=True)
        for step in range(60):
            world.watcher.worker_lives = rng.random() < 0.8
            for _ in range(rng.choice((1, 1, 3, 12))):
                client = rng.choice(clients)
                text = "x" * rng.choice((0, 5, 50, 700))
                if rng.random() < 0.1:
                    client.say('451-["e",{"_placeholder":true,"num":0}]', rng.randbytes(30))
                else:
                    id = rng.choice(("", "", "", step))
                    client.emit(
                        rng.choice((KEYED, "e")), {"code": rng.choice("ABC"), "t": text}, id=id
                    )
            world.flush()
            known = world.remembered()
            self.assertEqual((known.epoch, known.head), (EPOCH, world.log.head))
            log = world.log._events
            if log:
                found = known.past.take(0)[-len(log) :]
                self.assertEqual([*map(self.fields, found)], [*map(self.fields, log)], (seed, step))
            if step % 10:
                continue
            snapshot = {each.key: each.packets for each in world.hub._late_joiners.values()}
            after = RememberingWorld(before=world)
            self.assertEqual(
                {each.key: each.packets for each in after.hub._late_joiners.values()}, snapshot
            )
        del keeper

    def test_many(self):
        for seed in range(6):
            self.run_one(seed)
