import orjson
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.packet import Packet
from gateway.engineio.payload import encode3, encode3_binary, encode4
from gateway.socketio.errors import ConnectionRefused
from tests.relay.world import PollingClient, RelayWorld, WebSocketClient

FILE = ('451-["file",{"_placeholder":true,"num":0}]', b"\x00\xff")


class RelayRuleTests(SynchronousTestCase):
    def setUp(self):
        self.world = RelayWorld()
        self.sender = self.world.client()
        self.others = [self.world.client() for _ in range(2)]

    def relayed(self, *messages):
        """What each of the others gets when the sender says `messages`."""
        self.sender.say(*messages)
        self.world.flush()
        self.assertEqual(self.sender.heard, [])
        first, second = (client.heard for client in self.others)
        self.assertEqual(first, second)
        return first

    def test_an_event_goes_to_all_others_as_it_came(self):
        for text in (
            '42["tick",{"close": 1.0, "volume":12345678901234567890, "x":1e3}]',
            '42["",null]',
            '42["message","日本",[]]',
            '42["__proto__",{"a":{"b":[1,[2]]}}]',
            "42[7]",
        ):
            self.assertEqual(self.relayed(text), [text])

    def test_attachments_follow_their_event(self):
        self.assertEqual(self.relayed(*FILE), list(FILE))

    def test_nothing_is_sent_before_the_end_of_the_turn(self):
        self.sender.emit("a")
        self.assertEqual(self.others[0].heard, [])

    def test_the_very_same_bytes_reach_everybody_who_is_caught_up(self):
        self.relayed('42["a"]', '42["b"]')
        one, two = (client.wire.writes[-1] for client in self.others)
        self.assertIs(one, two)

    def test_senders_hear_each_other_in_one_order(self):
        clients = [self.sender, *self.others]
        for number, client in enumerate(clients * 2):
            client.emit("n", number)
        self.world.flush()
        self.assertEqual(
            [client.heard for client in clients],
            [[f'42["n",{n}]' for n in range(6) if n % 3 != own] for own in range(3)],
        )

    def test_who_joins_late_or_leaves_early(self):
        self.sender.emit("before")
        late = self.world.client()
        self.others[0].say("41")
        self.sender.emit("after")
        self.world.flush()
        self.assertEqual(late.heard, ['42["after"]'])
        self.assertEqual(self.others[0].heard, ['42["before"]'])

    def test_the_observer_sees_every_event(self):
        self.relayed('42["a"]', *FILE)
        self.assertEqual(self.world.watcher.names, ["a", "file"])

    def test_an_event_says_when_it_came_and_whether_its_sender_is_trusted(self):
        self.world.watcher.trusted.add(self.sender.reply["sid"])
        self.sender.emit("a")
        self.others[0].emit("b")
        self.world.now += 5
        self.world.relay.publish("c", {})
        events = self.world.log.between(self.world.log.flushed, self.world.log.head)
        self.assertEqual([each.trusted for each in events], [True, False, True])
        self.assertEqual([each.wall - events[0].wall for each in events], [0, 0, 5])

    def test_memory_comes_back(self):
        self.relayed(*['42["a"]'] * 100)
        self.assertEqual((self.world.log.tail, self.world.log.head), (100, 100))
        for client in (self.sender, *self.others):
            client.lose()
        self.assertEqual((self.world.hub.members, self.world.log.apart), ({}, set()))


class EchoTests(SynchronousTestCase):
    def test_by_option_the_sender_hears_itself(self):
        world = RelayWorld(echo=True)
        client, other = world.client(), world.client()
        client.emit("a", 1)
        world.flush()
        self.assertEqual((client.heard, other.heard), (['42["a",1]'], ['42["a",1]']))


class NamespaceTests(SynchronousTestCase):
    def test_each_has_its_own_events(self):
        world = RelayWorld(namespaces=("/", "/chat"))
        both, root, chat = world.client(), world.client(), WebSocketClient(world)
        world.flush()
        self.assertEqual(len(chat.heard), 1)
        chat.join("/chat")
        both.join("/chat")
        both.emit("a")
        both.say('42/chat,["b"]')
        chat.say('42/chat,["c"]')
        world.flush()
        self.assertEqual(root.heard, ['42["a"]'])
        self.assertEqual(chat.heard, ['42/chat,["b"]'])
        self.assertEqual(both.heard, ['42/chat,["c"]'])

    def test_only_the_root_unless_set_otherwise(self):
        world = RelayWorld()
        client = world.client()
        client.say("40/chat,")
        world.flush()
        self.assertEqual(client.heard, ['44/chat,{"message":"Invalid namespace"}'])


class PublishTests(SynchronousTestCase):
    def test_everybody_gets_exactly_one_object(self):
        world = RelayWorld(namespaces=("/", "/chat"))
        client = world.client()
        chat = WebSocketClient(world)
        world.flush()
        self.assertEqual(len(chat.heard), 1)
        chat.join("/chat")
        world.relay.publish("gateway_status", {"ok": True})
        world.flush()
        self.assertEqual(client.heard, ['42["gateway_status",{"ok":true}]'])
        self.assertEqual(chat.heard, ['42/chat,["gateway_status",{"ok":true}]'])


class FormTests(SynchronousTestCase):
    """One event, in the form of each transport."""

    def setUp(self):
        self.world = RelayWorld(eio3=True)
        self.sender = self.world.client()

    def polling3(self, **query):
        client = PollingClient(self.world, EIO="3", **query)
        client.get()
        self.world.flush()
        self.assertEqual(client.pending.payload is None, False)
        client.get()
        return client

    def say(self, *messages):
        self.sender.say(*messages)
        self.world.flush()

    def test_text(self):
        poller, old, base64 = self.world.poller(), self.polling3(), self.polling3(b64="1")
        self.say('42["é"]', '42["b"]')
        packets = (Packet('42["é"]'.encode()), Packet(b'42["b"]'))
        self.assertEqual(poller.pending.payload, encode4(packets))
        self.assertEqual(old.pending.payload, encode3(packets))
        self.assertEqual(base64.pending.payload, encode3(packets))

    def test_binary(self):
        poller, old, base64 = self.world.poller(), self.polling3(), self.polling3(b64="1")
        self.say(*FILE)
        packets = (Packet(FILE[0].encode()), Packet(FILE[1], binary=True))
        self.assertEqual(poller.pending.payload, encode4(packets))
        self.assertEqual(old.pending.payload, encode3_binary(packets))
        self.assertEqual(old.pending.content_type, "application/octet-stream")
        self.assertEqual(base64.pending.payload, encode3(packets))

    def test_old_and_new_websockets_differ_in_binary_only(self):
        new = self.world.client()
        old = WebSocketClient(self.world, EIO="3")
        self.world.wait(1)
        self.assertEqual(old.heard[1], "40")
        self.say('42["a"]')
        self.assertEqual(old.heard, ['42["a"]'])
        self.say(*FILE)
        self.assertEqual(new.heard, ['42["a"]', *FILE])
        self.assertEqual(old.heard, [FILE[0], b"\x04" + FILE[1]])

    def test_polls_of_one_turn_are_the_same_payload(self):
        one, two = self.world.poller(), self.world.poller()
        self.say('42["a"]', '42["b"]')
        self.assertIs(one.pending.payload, two.pending.payload)

    def test_a_poll_holds_at_most_sixteen_packets_and_the_rest_follows(self):
        poller = self.world.poller()
        self.say(*[f'42["n",{n}]' for n in range(40)])
        heard = [poller.heard, poller.poll(), poller.poll()]
        self.assertEqual([len(part) for part in heard], [16, 16, 8])
        self.assertEqual(
            [orjson.loads(text[2:])[1] for part in heard for text in part], list(range(40))
        )
        self.assertEqual(poller.poll(), [])


class RefusalTests(SynchronousTestCase):
    def test_a_refusal_waits_as_long_as_it_says(self):
        world = RelayWorld()
        client = WebSocketClient(world)
        delays = iter((3.0, 0.0))

        def refuse(session, auth):
            raise ConnectionRefused("Unauthorized", delay=next(delays))

        world.watcher.admit = refuse
        self.assertEqual(len(client.heard), 1)  # the handshake
        client.say("40")
        world.wait(2)
        self.assertEqual(client.heard, [])
        world.wait(2)
        world.flush()
        self.assertEqual(client.heard, ['44{"message":"Unauthorized"}'])
        client.say("40")
        world.flush()
        self.assertEqual(client.heard, ['44{"message":"Unauthorized"}'])

    def test_who_goes_before_is_forgotten(self):
        world = RelayWorld()
        client = WebSocketClient(world)

        def refuse(session, auth):
            raise ConnectionRefused("Unauthorized", delay=3.0)

        world.watcher.admit = refuse
        self.assertEqual(len(client.heard), 1)
        client.say("40")
        client.wire.channel.lost()
        world.wait(4)
        self.assertEqual(client.heard, [])
