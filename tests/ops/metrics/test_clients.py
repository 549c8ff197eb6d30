from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.logs import EventCounts
from gateway.ops.metrics.clients import RelayMetrics
from gateway.relay.event import OVERHEAD
from gateway.relay.lagging import SlowClientLimits
from tests.ops.metrics.reading import read
from tests.relay.world import KEYED, RelayWorld, WebSocketClient


class RelayMetricsTests(SynchronousTestCase):
    """Each number, against what the clients were seen to get."""

    def relayed(self, sender, events):
        for event in events:
            self.names(str(event.name))

    def start(self, **settings):
        self.world = RelayWorld(namespaces=("/", "/chat"), **settings)
        self.names = EventCounts(self.world.deadlines.call_later)
        self.world.watcher.relayed = self.relayed
        self.freshness = SimpleNamespace(stale=set(), trading=set())
        self.metrics = RelayMetrics(
            self.world.relay, self.freshness, self.world.server.sessions, self.names.totals
        )

    def numbers(self):
        return read(self.metrics)

    def assert_numbers(self, expected):
        found = self.numbers()
        self.assertEqual({name: found[name] for name in expected}, expected)

    def say(self, client, *texts):
        """Each in a reactor turn of its own."""
        for text in texts:
            client.say(text)
            self.world.flush()

    def test_nothing_happened_yet(self):
        self.start()
        found = self.numbers()
        self.assertEqual(set(found.values()), {0})
        self.assertIn('deliveries_total{namespace="/chat"}', found)

    def test_events_deliveries_and_bytes(self):
        self.start()
        clients = [self.world.client() for _ in range(3)] + [self.world.poller()]
        sender, one, other, poller = clients
        for client in clients:
            self.assertNotEqual(client.heard, None)
        before = self.numbers()['sent_bytes_total{namespace="/"}']
        written = [len(b"".join(client.wire.writes)) for client in (one, other)]
        texts = ['42["a",1]', '42["b",{"x":"臺"}]', '42["a",2]']
        for text in texts[:2]:
            sender.say(text)  # in one turn
        self.world.flush()
        self.assertEqual(len(poller.heard), 2)
        payload = len(poller.payloads[-1])
        poller.get()
        self.world.flush()
        self.say(sender, texts[2])
        payload += len(poller.pending.payload)
        self.world.relay.publish("feed_status", {"x": 1})
        self.world.flush()
        sent = sum(len(b"".join(client.wire.writes)) for client in (one, other)) - sum(written)
        own = len(b'42["feed_status",{"x":1}]')
        self.assert_numbers(
            {
                'events_total{namespace="/"}': 4,
                'events_total{namespace="/chat"}': 1,
                'event_bytes_total{namespace="/"}': sum(len(t.encode()) for t in texts) + own,
                'events_by_name_total{event="a"}': 2,
                'events_by_name_total{event="b"}': 1,
                # Three events to three others, and the gateway's own to the three WebSockets.
                'deliveries_total{namespace="/"}': 9 + 3,
                'sent_bytes_total{namespace="/"}': before + sent + payload + 2 + own,
            }
        )

    def test_what_is_said_to_one_client_alone_is_no_delivery(self):
        self.start()
        asker, answerer = self.world.client(), self.world.client()
        self.say(asker, '420["question"]')
        (question,) = answerer.heard
        number = question.removeprefix("42").partition("[")[0]
        self.say(answerer, f'43{number}["answer"]')
        self.assertEqual(asker.heard, ['430["answer"]'])
        self.assert_numbers({'deliveries_total{namespace="/"}': 1})

    def test_who_leaves_in_the_middle_of_a_write_is_counted_where_he_was_served(self):
        self.start()
        sender, first, second = (self.world.client() for _ in range(3))
        first.wire.on_write = lambda data: second.lose()
        self.say(sender, '42["a"]')
        self.assertEqual((len(first.heard), second.heard), (1, []))
        self.assert_numbers({'deliveries_total{namespace="/"}': 1})

    def test_clients_by_transport_and_by_namespace(self):
        self.start()
        clients = [self.world.client(), self.world.client(), self.world.poller()]
        clients[0].join("/chat")
        WebSocketClient(self.world)  # joins nothing
        self.assert_numbers(
            {
                'clients{transport="websocket"}': 3,
                'clients{transport="polling"}': 1,
                'members{namespace="/"}': 3,
                'members{namespace="/chat"}': 1,
            }
        )
        clients[0].lose()
        self.assert_numbers({'clients{transport="websocket"}': 2, 'members{namespace="/"}': 2})

    def lagging(self, *texts, **settings):
        """A sender, and a client that reads nothing of `texts` but the first."""
        self.start(**settings)
        sender, healthy, slow = (self.world.client() for _ in range(3))
        slow.wire.full = True
        self.say(sender, *texts)
        return sender, healthy, slow

    def test_lag(self):
        _, _, slow = self.lagging('42["first"]', '42["a"]', '42["b"]')
        lag = 2 * (len('42["a"]') + OVERHEAD)
        expected = {
            'lagging_clients{namespace="/"}': 1,
            'lag_bytes{namespace="/"}': lag,
            'lag_max_bytes{namespace="/"}': lag,
            'lag_bytes{namespace="/chat"}': 0,
        }
        self.assert_numbers(expected)
        slow.wire.drain()
        self.world.flush()
        self.assert_numbers(dict.fromkeys(expected, 0))

    def test_conflated(self):
        ticks = [f'42["{KEYED}",{{"code":"A","n":{number}}}]' for number in range(100)]
        self.lagging('42["first"]', *ticks, slow_client_limits=SlowClientLimits(bytes=1000))
        self.world.wait(3)
        found = self.numbers()
        self.assertGreater(found["conflations_total"], 0)
        self.assertEqual((found["skipped_events_total"], found["evicted_clients_total"]), (99, 0))

    def test_evicted(self):
        texts = [f'42["e",{number}]' for number in range(100)]
        self.lagging('42["first"]', *texts, slow_client_limits=SlowClientLimits(bytes=1000))
        self.world.wait(3)
        self.assert_numbers(
            {
                "skipped_events_total": 0,
                "evicted_clients_total": 1,
                'members{namespace="/"}': 2,
            }
        )

    def test_repaired(self):
        self.start()
        sender, receiver = self.world.client(), self.world.client()
        self.say(sender, '42["a",[NaN,Infinity]]', '42["a",1]', '42["a",1e400]')
        self.assertEqual(receiver.heard[0], '42["a",[null,null]]')
        self.assert_numbers({'repaired_events_total{namespace="/"}': 2})

    def test_refused_events(self):
        self.start()
        self.world.watcher.admit = lambda session, auth: False
        self.say(self.world.client(), '42["a"]', '420["b"]')
        self.assert_numbers(
            {'refused_events_total{namespace="/"}': 2, 'events_total{namespace="/"}': 0}
        )

    def test_stale_feeds(self):
        self.start()
        self.freshness.stale.add("futures")
        self.assert_numbers({'feed_stale{market="futures"}': 0, 'market_open{market="futures"}': 0})
        self.freshness.trading.add("futures")
        self.assert_numbers({'feed_stale{market="futures"}': 1, 'feed_stale{market="stocks"}': 0})
        self.assert_numbers({'market_open{market="futures"}': 1, 'market_open{market="stocks"}': 0})
