"""Polling clients that take little at a time: late, though they never stall."""

import json
from itertools import pairwise

from twisted.trial.unittest import SynchronousTestCase

from gateway.relay.lagging import SlowClientLimits
from tests.relay.world import KEYED, PollingClient, RelayWorld

RATE, ROUND_TRIP = 1000, 0.1


class LateTests(SynchronousTestCase):
    """One publisher at 1,000 events a second, and a client with ten polls a second."""

    slow_client_limits = SlowClientLimits()

    def setUp(self):
        self.world = RelayWorld(slow_client_limits=self.slow_client_limits)
        self.sender = self.world.client()
        self.client = self.join()
        self.number = 0
        self.sent = {}
        self.heard = []

    def join(self):
        client = PollingClient(self.world)
        client.say("40")
        client.poll()
        client.poll()
        return client

    def say(self, code):
        self.number += 1
        name = KEYED if code else "unkeyed"
        self.sent[code or self.number] = self.number
        self.sender.say(json.dumps([name, {"code": code, "n": self.number}]).join(("42", "")))

    def hear(self):
        for text in self.client.poll():
            _, value = json.loads(text[2:])
            self.heard.append((self.world.now, value["code"], value["n"]))

    def stream(self, seconds, codes):
        """Publish for so long; `codes(n)` is the code of the n-th event, None for no key."""
        for _ in range(round(seconds / ROUND_TRIP)):
            for _ in range(int(RATE * ROUND_TRIP)):
                self.say(codes(self.number))
            self.world.flush()
            self.hear()
            self.world.wait(ROUND_TRIP)

    def catch_up(self):
        """Seconds until the client has heard all that it will."""
        start, count = self.world.now, -1
        while count != len(self.heard):
            count = len(self.heard)
            self.hear()
            self.world.wait(ROUND_TRIP)
        return self.world.now - 2 * ROUND_TRIP - start

    def newest(self):
        return {code or n: n for _, code, n in self.heard}

    def test_it_is_a_second_behind_at_most_with_the_newest_value_of_each_key(self):
        self.stream(10, lambda n: f"C{n % 100}")
        self.assertLessEqual(self.catch_up(), 1.0)
        self.assertEqual(self.newest(), self.sent)

    def test_the_key_that_changes_most_is_heard_as_often_as_others(self):
        self.stream(10, lambda n: "hot" if n % 2 else f"C{n // 2 % 99}")
        hot = [at for at, code, _ in self.heard if code == "hot"]
        gaps = [later - at for at, later in pairwise(hot)]
        self.assertLess(max(gaps), 2.5)
        self.catch_up()
        self.assertEqual(self.newest(), self.sent)

    def test_what_waits_is_gone_through_no_more_often_than_it_gets_late(self):
        self.stream(1, lambda n: f"C{n % 1000}")
        before = self.world.relay.slow.counters.conflated
        for _ in range(100):  # it polls a hundred times in this second
            for _ in range(40):
                self.say(f"C{self.number % 1000}")
            self.world.flush()
            self.hear()
            self.world.wait(0.01)
        self.assertLessEqual(self.world.relay.slow.counters.conflated - before, 4)
        self.catch_up()
        self.assertEqual(self.newest(), self.sent)

    def test_order_is_kept_and_nothing_comes_twice(self):
        self.stream(5, lambda n: "hot" if n % 3 else f"C{n % 41}")
        self.catch_up()
        numbers = [n for _, _, n in self.heard]
        self.assertEqual(numbers, sorted(set(numbers)))

    def test_events_without_a_key_are_complete(self):
        self.stream(10, lambda n: f"C{n % 40}" if n % 20 else None)
        self.catch_up()
        unkeyed = [n for _, code, n in self.heard if code is None]
        self.assertEqual(unkeyed, [n for code, n in self.sent.items() if code == n])
        self.assertEqual(self.newest(), self.sent)

    def test_what_it_missed_before_it_came_back_is_complete(self):
        """Though it is older than what a client may be late, and its code comes again."""
        world = RelayWorld()
        sender, before = world.client(), world.client(recover=True)
        place = before.reply["pid"], f"{world.log.epoch}-0"
        before.lose()
        for number in range(200):
            sender.say(json.dumps([KEYED, {"code": "C", "n": number}]).join(("42", "")))
            world.flush()
        world.wait(5)
        client = PollingClient(world)
        client.say("40" + json.dumps({"recover": True, "pid": place[0], "offset": place[1]}))
        heard = []
        for _ in range(20):
            heard += [json.loads(text[2:])[1]["n"] for text in client.poll() if text[:2] == "42"]
            world.wait(ROUND_TRIP)
        self.assertEqual(heard, list(range(1, 200)))  # its offset is that of the first
