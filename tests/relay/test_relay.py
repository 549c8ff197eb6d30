import orjson
from twisted.trial.unittest import SynchronousTestCase

from gateway.relay.lagging import SlowClientLimits
from gateway.relay.turn import POLLS
from tests.relay.world import KEYED, PollingClient, RelayWorld, WebSocketClient


def numbers(heard):
    return [orjson.loads(text[2:])[1] for text in heard if text.startswith('42["n"')]


class FlushTests(SynchronousTestCase):
    def test_an_interval_collects_the_events_of_several_turns(self):
        world = RelayWorld(flush_interval=0.005)
        sender, receiver = WebSocketClient(world), WebSocketClient(world)
        for client in (sender, receiver):
            client.say("40")
        world.wait(0.02)
        self.assertEqual(len(receiver.heard), 2)
        sender.emit("n", 1)
        world.wait(0.004)
        sender.emit("n", 2)
        self.assertEqual(receiver.heard, [])
        world.wait(0.001)
        self.assertEqual(receiver.heard, ['42["n",1]', '42["n",2]'])
        self.assertEqual(len(receiver.wire.writes), 2 + 1)

    def test_what_waits_can_be_written_at_once(self):
        world = RelayWorld()
        client = world.client()
        world.relay.publish("gateway_status", {"stopping": True})
        world.relay.finish()
        self.assertEqual(client.heard, ['42["gateway_status",{"stopping":true}]'])

    def test_so_is_what_waits_for_polls_of_this_very_turn(self):
        world = RelayWorld()
        clients = [world.poller() for _ in range(POLLS + 1)]
        for number in (1, 2):  # the first answers the pending polls
            world.relay.publish("n", {"n": number})
            world.flush()
        for client in clients:
            self.assertEqual(client.heard, ['42["n",{"n":1}]'])
            client.get(within_a_turn=True)
        world.relay.publish("n", {"n": 3})
        world.relay.finish()
        for client in clients:
            self.assertEqual(client.heard, ['42["n",{"n":2}]', '42["n",{"n":3}]'])
        world.flush()

    def test_whoever_is_between_two_polls_has_still_to_fetch_it(self):
        world = RelayWorld()
        between, waiting, slow = world.poller(), world.poller(), world.client()
        slow.wire.full = True
        world.relay.publish("n", {"n": 1})
        self.assertFalse(world.relay.finish()())
        waiting.get()
        world.relay.publish("n", {"n": 2})
        unheard = world.relay.finish()
        self.assertTrue(unheard())
        world.relay.publish("n", {"n": 3})  # later, so that nobody waits for it
        self.assertEqual(between.poll(), ['42["n",{"n":1}]', '42["n",{"n":2}]', '42["n",{"n":3}]'])
        self.assertFalse(unheard())


class UpgradeTests(SynchronousTestCase):
    """From polling to WebSocket while 2000 events a second pass by."""

    def setUp(self):
        self.world = RelayWorld(slow_client_limits=SlowClientLimits(bytes=100_000))
        self.sender = self.world.client()
        self.said = 0

    def say(self, count):
        for _ in range(count):
            self.said += 1
            self.sender.emit("n", self.said)

    def pass_by(self, seconds):
        """Time passes in turns of 5 ms, 10 events each."""
        for _ in range(round(seconds / 0.005)):
            self.say(10)
            self.world.wait(0.005)

    def test_nothing_is_lost_doubled_or_reordered(self):
        slow = self.world.client()
        slow.wire.full = True
        pollers = [self.world.poller() for _ in range(3)]
        heard = [[] for _ in pollers]

        for _ in range(30):
            self.pass_by(0.01)
            for poller, got in zip(pollers, heard, strict=True):
                self.say(3)
                got.extend(poller.poll())
        sockets = []
        for poller, got in zip(pollers, heard, strict=True):
            self.pass_by(0.01)
            socket = WebSocketClient(self.world, sid=poller.sid)
            socket.say("2probe")
            self.say(5)
            got.extend(poller.poll())
            self.say(5)
            socket.say("5")
            self.say(5)
            got.extend(poller.heard)
            sockets.append(socket)
        for socket in sockets:
            socket.emit("mine")
        self.pass_by(2.5)
        for socket, got in zip(sockets, heard, strict=True):
            upgraded = socket.heard
            self.assertEqual(upgraded.pop(0), "3probe")
            got.extend(upgraded)
        expected = list(range(1, self.said + 1))
        for got in heard:
            self.assertEqual(numbers(got), expected)
            self.assertEqual(len([text for text in got if "mine" in text]), len(pollers) - 1)
        self.assertFalse(slow.is_open)
        self.assertEqual(self.world.relay.slow.counters.evicted, 1)

    def test_the_upgraded_one_shares_at_once(self):
        poller, other = self.world.poller(), self.world.client()
        socket = WebSocketClient(self.world, sid=poller.sid)
        socket.say("2probe", "5")
        self.say(1)
        self.world.flush()
        self.assertIs(socket.wire.writes[-1], other.wire.writes[-1])


class PipelineTests(SynchronousTestCase):
    """One answered poll brings the next request in the same moment."""

    def setUp(self):
        self.world = RelayWorld()
        self.sender, self.other = self.world.client(), self.world.client()
        self.pollers = [self.world.poller() for _ in range(3)]
        self.heard = [[] for _ in self.pollers]

    def say(self, *values):
        for value in values:
            self.sender.emit("n", value)
        self.world.flush()

    def within_the_answer_to(self, number, action):
        self.pollers[number].pending.on_answer = action

    def assert_got(self, number, *values):
        poller, got = self.pollers[number], self.heard[number]
        while more := poller.poll():
            got += more
        self.assertEqual(numbers(got), list(values))

    def again(self, number):
        """Poll again from within the answer."""

        def get():
            poller, got = self.pollers[number], self.heard[number]
            got += poller.heard
            poller.get(within_a_turn=True)
            if len(got) < 100:
                self.within_the_answer_to(number, get)

        return get

    def test_a_get(self):
        self.within_the_answer_to(1, self.again(1))
        for value in range(60):
            self.say(value)
        self.say(*range(60, 120))
        self.assertGreater(len(self.heard[1]), 50)
        for number in range(3):
            self.assert_got(number, *range(120))
        self.assertEqual(numbers(self.other.heard), list(range(120)))

    def test_an_event(self):
        self.within_the_answer_to(1, lambda: self.pollers[1].say('42["n",-1]'))
        self.say(1)
        self.say(2)
        self.assert_got(0, 1, -1, 2)
        self.assert_got(1, 1, 2)
        self.assertEqual(numbers(self.other.heard), [1, -1, 2])
        self.assertEqual(self.sender.heard, ['42["n",-1]'])

    def test_the_end_of_another_session(self):
        for ending, ended in ((0, 2), (2, 0)):
            self.setUp()
            self.within_the_answer_to(ending, lambda: self.pollers[ended].say("1"))  # noqa: B023
            self.say(1)
            self.say(2)
            self.assert_got(ending, 1, 2)
            self.assert_got(1, 1, 2)
            self.assertNotIn(self.pollers[ended].sid, self.world.server.sessions)
            self.assertEqual(numbers(self.other.heard), [1, 2])

    def test_the_end_of_its_own(self):
        self.within_the_answer_to(1, lambda: self.pollers[1].say("1"))
        self.say(1)
        self.say(2)
        self.assert_got(0, 1, 2)
        self.assertEqual(len(self.world.hub.members), 4)

    def test_an_upgrade(self):
        sockets = []

        def upgrade():
            sockets.append(socket := WebSocketClient(self.world, sid=self.pollers[2].sid))
            socket.say("2probe", "5")

        for number in (0, 2):
            self.setUp()
            self.within_the_answer_to(number, upgrade)
            self.say(1)
            self.say(2)
            heard = self.pollers[2].heard + sockets.pop().heard
            self.assertEqual([text for text in heard if text not in ("6", "3probe")], NUMBERS)
            self.assert_got(0, 1, 2)
            self.assert_got(1, 1, 2)

    def test_a_new_client(self):
        late = []

        def join():
            late.append(client := PollingClient(self.world))
            client.get()
            client.say("40")

        self.within_the_answer_to(0, join)
        self.say(1)
        self.say(2)
        heard = late[0].poll()
        while more := late[0].poll():
            heard += more
        self.assertEqual(numbers(heard), [2])


NUMBERS = ['42["n",1]', '42["n",2]']


class FarewellTests(SynchronousTestCase):
    """The server hangs up: what was said to the client before comes first."""

    def setUp(self):
        self.world = RelayWorld()
        self.other = self.world.client()

    def hang_up(self):
        """Say something to the youngest client, and an event, and take it out of all."""
        socket = next(reversed(self.world.hub.members))
        self.other.emit("n", 1)
        socket.emit("bye")
        socket.disconnect(close=True)

    def test_over_a_websocket(self):
        client = self.world.client()
        self.hang_up()
        self.world.flush()
        self.assertEqual(client.heard, ['42["bye"]', "41", "1"])
        self.assertFalse(client.is_open)

    def test_over_a_full_one(self):
        client = self.world.client()
        client.wire.full = True
        self.other.emit("n", 0)
        self.world.flush()
        self.hang_up()
        self.world.flush()
        self.assertEqual((client.heard, client.is_open), (['42["n",0]'], True))
        client.wire.drain()
        self.assertEqual((client.heard, client.is_open), (['42["bye"]', "41", "1"], False))

    def test_over_polling(self):
        poller = self.world.poller()
        self.hang_up()
        self.world.flush()
        self.assertEqual(poller.heard, ['42["bye"]', "41", "1"])
        self.assertNotIn(poller.sid, self.world.server.sessions)

    def test_a_session_that_closes_takes_its_events_first(self):
        client = self.world.client()
        self.other.emit("n", 1)
        client.session.close()
        self.assertTrue(client.is_open)
        self.world.flush()
        self.assertEqual(client.heard, ['42["n",1]', "1"])
        self.assertEqual((client.is_open, len(self.world.hub.members)), (False, 1))


class StormTests(SynchronousTestCase):
    def test_connects_and_disconnects_in_the_middle_of_a_broadcast(self):
        world = RelayWorld(log_records=200)
        sender, steady = world.client(), world.client()
        for number in range(300):
            client = WebSocketClient(world)
            client.say("40")
            sender.emit("n", number)
            sender.emit(KEYED, {"code": number})
            if number % 3 == 0:
                world.flush()
            if number % 2:
                client.say("41")
            client.lose()
        world.flush()
        self.assertEqual(numbers(steady.heard), list(range(300)))
        self.assertEqual((len(world.hub.members), len(world.server.sessions)), (2, 2))
        self.assertEqual((world.log.apart, world.log.head - world.log.tail), (set(), 0))
