from twisted.trial.unittest import SynchronousTestCase

from gateway.relay.event import OVERHEAD
from gateway.relay.lagging import SlowClientLimits
from gateway.relay.subscription import Subscription
from tests.relay.world import KEYED, RelayWorld, WebSocketClient

BOUND = 20_000
SIZE = 100 + OVERHEAD
"""What one event of `filler` costs."""


def filler(number):
    """An event of exactly 100 bytes."""
    return f'42["e","{number:<90}"]'


def tick(code, number):
    return f'42["{KEYED}",{{"code":"{code}","n":{number}}}]'


class SlowTests(SynchronousTestCase):
    """One client that does not read, and one that does."""

    slow_client_limits = SlowClientLimits(bytes=BOUND)

    def setUp(self):
        self.world = RelayWorld(
            slow_client_limits=self.slow_client_limits, log_bytes=200_000, namespaces=("/", "/chat")
        )
        self.sender, self.healthy, self.slow = (self.world.client() for _ in range(3))
        self.counters = self.world.relay.slow.counters
        self.wire = self.slow.wire
        self.wire.full = True
        self.say(filler("first"))
        self.assertEqual(len(self.slow.heard), 1)

    def say(self, *texts):
        self.sender.say(*texts)
        self.world.flush()

    def lag_by(self, size):
        """Let at least `size` bytes wait for the slow one."""
        count = -(-size // SIZE)
        self.say(*[filler(number) for number in range(count)])
        return count

    def drain(self):
        self.wire.drain()
        self.world.flush()
        return self.slow.heard

    def dealt_with(self):
        return (self.counters.conflated, self.counters.skipped, self.counters.evicted)


class BoundTests(SlowTests):
    def test_more_than_the_bound_and_nothing_taken_for_a_second(self):
        self.lag_by(BOUND + 1)
        self.assertTrue(self.slow.is_open)
        self.world.wait(2)
        self.assertEqual((self.slow.is_open, self.dealt_with()), (False, (0, 0, 1)))

    def test_no_more_than_the_bound_may_wait_longer(self):
        count = self.lag_by(BOUND)
        self.world.wait(60)
        self.assertTrue(self.slow.is_open)
        self.assertEqual(len(self.drain()), count)

    def test_who_takes_something_each_second_is_left_alone(self):
        count = self.lag_by(5 * BOUND)
        for _ in range(30):
            self.world.wait(0.9)
            self.wire.taken += 1
        self.assertEqual((self.slow.is_open, self.dealt_with()), (True, (0, 0, 0)))
        self.assertEqual(len(self.drain()), count)

    def test_pongs_do_not_save_it(self):
        self.lag_by(BOUND + 1)
        for _ in range(20):
            self.world.wait(0.1)
            self.slow.say("3") if self.slow.is_open else None
        self.assertEqual((self.slow.is_open, self.counters.evicted), (False, 1))

    def test_nor_does_what_it_says(self):
        self.lag_by(BOUND + 1)
        for _ in range(20):
            self.world.wait(0.1)
            if self.slow.is_open:
                self.slow.emit("hello")
        self.assertFalse(self.slow.is_open)

    def test_one_big_event_harms_nobody(self):
        self.say(f'42["big","{"x" * 90_000}"]')
        self.assertGreater(90_000, BOUND)
        self.world.wait(9)
        self.assertEqual(self.dealt_with(), (0, 0, 0))
        self.assertEqual(len(self.drain()), 1)

    def test_the_bound_is_twice_the_largest_event_then(self):
        self.say(f'42["big","{"x" * 30_000}"]')
        self.lag_by(25_000)
        self.world.wait(5)
        self.assertTrue(self.slow.is_open)
        self.lag_by(10_000)
        self.world.wait(2)
        self.assertFalse(self.slow.is_open)

    def test_a_burst_harms_nobody(self):
        count = self.lag_by(190_000)
        self.world.wait(0.9)
        self.assertEqual(len(self.drain()), count)
        self.assertEqual(self.dealt_with(), (0, 0, 0))
        self.assertEqual(len(self.healthy.heard), count + 1)

    def test_a_burst_beyond_the_log_harms_nobody_who_reads(self):
        """What the log has to forget may wait with the client, up to as much again."""
        count = self.lag_by(190_000) + self.lag_by(190_000)
        self.world.wait(0.5)
        self.assertEqual(len(self.drain()), count)

    def test_nor_does_one_that_is_larger_than_the_log(self):
        count = self.lag_by(BOUND)
        self.say(f'42["e","{"x" * 500_000}"]')
        self.world.wait(11)
        self.assertEqual((self.slow.is_open, self.dealt_with()), (True, (0, 0, 0)))
        self.assertEqual(len(self.drain()), count + 1)

    def test_what_was_said_to_it_alone_counts(self):
        for _ in range(100):
            self.slow.say('421["q"]')
            self.world.flush()
            id = self.healthy.heard[-1].removeprefix("42").removesuffix('["q"]')
            self.healthy.say(f'43{id}["{"x" * 1000}"]')
        self.world.wait(2)
        self.assertFalse(self.slow.is_open)

    def test_a_poller_that_stays_away(self):
        poller = self.world.poller()
        self.say(filler("answers the poll"))
        self.lag_by(BOUND + 1)
        self.world.wait(2)
        self.assertEqual(self.counters.evicted, 2)
        self.assertNotIn(poller.sid, self.world.server.sessions)

    def test_a_poller_that_polls(self):
        poller = self.world.poller()
        heard = []
        for _ in range(10):
            self.lag_by(SIZE * 10)
            self.world.wait(0.9)
            heard += poller.poll()
        while more := poller.poll():
            heard += more
        self.assertEqual(len(heard), 100)


class ChangingTests(SlowTests):
    def test_who_changes_its_filter_while_it_is_full_holds_no_more_than_others(self):
        client = self.world.client(events=["e"])
        client.wire.full = True
        rounds = 0
        while client.is_open and rounds < 50:
            client.say('42["sjgateway:subscribe",{"events":["e"]}]')
            self.say(*[filler(each) for each in range(100)])
            client.wire.taken += 1  # it takes a little, so it never stalls
            rounds += 1
        self.assertFalse(client.is_open)

    def test_what_it_holds_is_not_gone_through_in_every_turn(self):
        client = self.world.client(events=["e"])
        client.wire.full = True
        self.say(*[filler(each) for each in range(100)])
        client.say('42["sjgateway:subscribe",{"events":["e"]}]')
        looks = []
        self.patch(Subscription, "_keep_before", lambda *arguments: looks.append(arguments))
        for each in range(10):
            self.say(filler(each))
        self.assertEqual(looks, [])


class ConflationTests(SlowTests):
    def setUp(self):
        super().setUp()
        self.count = 0

    def ticks(self, count, codes=("A", "B")):
        """Keyed events, so many of each code."""
        for _ in range(count):
            self.count += 1
            self.say(*[tick(code, self.count) for code in codes])

    def test_it_is_brought_up_to_date_and_recovers_by_itself(self):
        self.ticks(50)
        self.say(filler("between"))
        self.ticks(50)
        self.world.wait(2)
        self.assertEqual(self.dealt_with(), (1, 198, 0))
        self.assertEqual(self.drain(), [filler("between"), tick("A", 100), tick("B", 100)])
        self.ticks(2)
        self.assertEqual(self.slow.heard, self.healthy.heard[-4:])
        self.assertIs(self.slow.wire.writes[-1], self.healthy.wire.writes[-1])

    def test_a_little_too_after_ten_seconds(self):
        self.ticks(3)
        self.world.wait(9)
        self.assertEqual(self.dealt_with(), (0, 0, 0))
        self.world.wait(2)
        self.assertEqual(self.dealt_with(), (1, 4, 0))
        self.assertEqual(self.drain(), [tick("A", 3), tick("B", 3)])

    def test_questions_and_attachments_are_never_skipped(self):
        binary = f'451-["{KEYED}",{{"code":"A","b":{{"_placeholder":true,"num":0}}}}]'
        self.say(f'427["{KEYED}",{{"code":"A"}}]', binary, b"abc")
        self.ticks(50)
        self.world.wait(2)
        question = f'420["{KEYED}",{{"code":"A"}}]'
        self.assertEqual(self.drain(), [question, binary, b"abc", tick("A", 50), tick("B", 50)])

    def test_a_backlog_that_cannot_be_skipped_disconnects(self):
        self.ticks(50)
        self.lag_by(BOUND + 1)
        self.world.wait(2)
        self.assertEqual((self.slow.is_open, self.counters.evicted), (False, 1))

    def test_memory_stays_flat_while_it_does_not_read(self):
        for _ in range(100):
            self.ticks(10)
            self.world.wait(0.5)
        self.assertTrue(self.slow.is_open)
        self.assertLess(self.world.log.head - self.world.log.tail, 100)
        self.assertEqual(self.drain(), [tick("A", 1000), tick("B", 1000)])
        self.assertEqual(len(self.healthy.heard), 2001)

    def test_the_end_of_the_log_does_not_wait_for_the_second(self):
        self.ticks(700)
        self.assertEqual((self.counters.conflated, self.counters.evicted), (1, 0))
        self.assertLessEqual(self.world.log.behind(self.world.log.tail), 200_000)
        heard = self.drain()
        self.assertEqual(heard[-2:], [tick("A", 700), tick("B", 700)])
        self.assertLess(len(heard), 700)

    def test_ever_new_keys_end_with_the_size_of_the_log(self):
        for number in range(1500):
            self.say(tick(f"code {number}", number))
        self.assertEqual((self.slow.is_open, self.counters.evicted), (False, 1))
        self.assertEqual(len(self.healthy.heard), 1501)

    def test_who_can_be_recovered_may_come_back(self):
        client = self.world.client(recover=True)
        client.wire.full = True
        self.say(filler("taken"))
        self.lag_by(BOUND + 1)
        self.world.wait(2)
        self.assertFalse(client.is_open)
        back = WebSocketClient(self.world)
        self.world.flush()
        self.assertEqual(len(back.heard), 1)
        back.join(recover=True, pid=client.reply["pid"])
        self.assertEqual(back.reply["sid"], client.reply["sid"])
        self.assertEqual(len(back.after), 1 + -(-(BOUND + 1) // SIZE))

    def test_one_client_in_two_namespaces_is_counted_once(self):
        self.wire.drain()
        self.sender.join("/chat")
        self.slow.join("/chat")
        self.wire.full = True
        self.say(filler("taken"))
        self.lag_by(BOUND + 1)
        self.say(*['42/chat,["x"]'] * 60)
        self.world.wait(2)
        self.assertEqual((self.slow.is_open, self.counters.evicted), (False, 1))


class DisconnectTests(SlowTests):
    slow_client_limits = SlowClientLimits(bytes=BOUND, conflate=False)

    def test_by_option_nothing_is_skipped(self):
        self.say(*[tick("A", number) for number in range(100)])
        self.world.wait(2)
        self.assertEqual((self.slow.is_open, self.dealt_with()), (False, (0, 0, 1)))

    def test_who_stalls_for_ten_seconds(self):
        self.say(tick("A", 1))
        self.world.wait(9)
        self.assertTrue(self.slow.is_open)
        self.world.wait(2)
        self.assertFalse(self.slow.is_open)

    def test_who_has_nothing_to_take_may_be_silent(self):
        self.world.wait(60)
        self.assertTrue(self.slow.is_open)
        self.assertTrue(self.healthy.is_open)

    def test_what_is_for_others_does_not_count(self):
        picky = self.world.client(events=["mine"])
        for client in (picky, self.sender):
            client.wire.full = True
        self.healthy.say('42["mine",0]')
        self.world.flush()
        for _ in range(3):
            self.lag_by(5 * BOUND)
            self.world.wait(6)
        self.assertTrue(picky.is_open)
        self.assertTrue(self.sender.is_open)
        self.healthy.say('42["mine",1]')
        self.world.flush()
        picky.wire.drain()
        self.world.flush()
        self.assertEqual(picky.heard, ['42["mine",0]', '42["mine",1]'])

    def test_the_end_of_the_log(self):
        for _ in range(6):
            self.lag_by(100_000)
        self.assertFalse(self.slow.is_open)
        self.assertLessEqual(self.world.log.behind(self.world.log.tail), 200_000)
