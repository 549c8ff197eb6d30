from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.forms import POLLING4
from gateway.engineio.outbox import Form
from tests.relay.parts import WEBSOCKET, Parts, Sink, record


class OneByOne(Form):
    key = "one by one"
    max_packets = 1
    encode = staticmethod(WEBSOCKET.encode)


class SessionTests(SynchronousTestCase):
    """What the session says, in no namespace yet."""

    def setUp(self):
        self.parts = Parts()
        self.sink = Sink()
        self.outbox = self.parts.outbox(self.sink)

    def test_everything_of_a_turn_is_one_write_at_its_end(self):
        self.outbox.send(record("1"))
        self.outbox.send(record("2"))
        self.assertEqual(self.sink.writes, [])
        self.parts.turns()
        self.assertEqual((self.sink.texts, len(self.sink.writes)), (["1", "2"], 1))

    def test_what_was_said_before_there_is_a_transport(self):
        outbox = self.parts.outbox()
        outbox.send(record("1"))
        self.parts.flush()
        outbox.attach(self.sink)
        self.assertEqual(self.sink.texts, ["1"])

    def test_urgent_records_jump(self):
        self.outbox.send(record("1"))
        self.outbox.send(record("ping"), urgent=True)
        self.parts.flush()
        self.assertEqual(self.sink.texts, ["ping", "1"])

    def test_a_poll_takes_sixteen(self):
        sink = Sink(POLLING4)
        sink.room = False
        for number in range(40):
            self.outbox.send(record(f"{number}"))
        self.outbox.attach(sink)
        self.parts.flush()
        for _ in range(2):
            self.outbox.resume()
            self.parts.flush()
        self.assertEqual([write.count(b"\x1e") + 1 for write in sink.writes], [16, 16, 8])

    def test_a_full_transport_gets_nothing_until_it_has_room(self):
        self.sink.room = False
        self.outbox.send(record("1"))
        self.parts.flush()
        self.outbox.send(record("2"))
        self.parts.flush()
        self.assertEqual(self.sink.texts, ["1"])
        self.outbox.resume()
        self.assertEqual(self.sink.texts, ["1", "2"])

    def test_nothing_is_written_after_the_end(self):
        self.outbox.send(record("1"))
        self.outbox.close()
        self.outbox.send(record("2"))
        self.parts.flush()
        self.assertEqual(self.sink.writes, [])


class TransportTests(SynchronousTestCase):
    def setUp(self):
        self.parts = Parts()
        self.subscription, self.sink = self.parts.member()
        self.outbox = self.subscription.outbox

    def test_nothing_is_lost_or_doubled_by_a_change(self):
        new = Sink()
        self.parts.say("a")
        self.parts.flush()
        self.parts.say("b")
        self.outbox.attach(new)
        self.parts.flush()
        self.parts.say("c")
        self.parts.flush()
        self.assertEqual((self.sink.texts, new.texts), (["a"], ["b", "c"]))

    def test_everything_waits_while_there_is_none(self):
        self.outbox.detach()
        self.parts.say("a")
        self.outbox.send(record("1"))
        self.outbox.send(record("ping"), urgent=True)
        self.parts.flush()
        new = Sink()
        self.outbox.attach(new)
        self.assertEqual((self.sink.writes, new.texts), ([], ["ping", "a", "1"]))

    def test_one_that_always_has_room_again_at_once_is_no_recursion(self):
        self.sink.form = OneByOne()
        self.outbox.attach(self.sink)
        self.sink.room = False
        self.sink.on_write = self.outbox.resume
        self.parts.say(*["x"] * 3000)
        self.parts.flush()
        self.assertEqual(len(self.sink.writes), 3000)

    def test_room_that_was_never_missed_changes_nothing(self):
        self.outbox.resume()
        self.parts.say("a")
        self.outbox.resume()
        self.parts.flush()
        self.assertEqual(self.sink.texts, ["a"])
        self.assertEqual(len(self.parts.log.apart), 0)

    def test_progress_is_what_the_peer_takes(self):
        seen = [self.outbox.progress]
        for act in (self.outbox.resume, self.take, lambda: self.outbox.attach(Sink())):
            act()
            seen.append(self.outbox.progress)
        self.assertEqual(len(set(seen)), 4)
        self.parts.say("a")
        self.outbox.send(record("1"))
        self.parts.flush()
        self.assertEqual(self.outbox.progress, seen[-1])
        self.outbox.detach()
        self.assertEqual(self.outbox.form, None)

    def take(self):
        self.sink.taken += 1


class NamespacesTests(SynchronousTestCase):
    """Two namespaces over one session."""

    def setUp(self):
        self.parts, self.second = Parts(), Parts()
        self.parts.turn.logs.append(self.second.log)
        self.second.turn, self.second.scheduled = self.parts.turn, self.parts.scheduled
        self.sink = Sink()
        self.outbox = self.parts.outbox(self.sink)
        self.one = self.parts.subscribe(self.outbox)
        self.two = self.second.subscribe(self.outbox)
        self.parts.flush()

    def test_both_share(self):
        _, heard = self.second.member()
        self.parts.say("1")
        self.second.say("2")
        self.parts.flush()
        self.assertEqual(self.sink.texts, ["1", "2"])
        self.assertIs(self.sink.writes[1], heard.writes[0])

    def test_full_is_full_for_both(self):
        self.sink.room = False
        self.parts.say("1")
        self.second.say("2")
        self.parts.flush()
        self.assertEqual(self.sink.texts, ["1"])
        self.parts.say("3")
        self.parts.flush()
        self.sink.room = True
        self.outbox.resume()
        self.assertEqual(self.sink.texts, ["1", "3", "2"])

    def test_the_session_speaks_after_both(self):
        self.parts.say("1")
        self.second.say("2")
        self.outbox.send(record("farewell"))
        self.parts.flush()
        self.assertEqual(self.sink.texts, ["1", "2", "farewell"])

    def test_what_the_session_said_survives_the_end_of_a_namespace(self):
        self.outbox.send(record("1"))
        self.two.close()
        self.one.close()
        self.outbox.send(record("2"))
        self.parts.flush()
        self.assertEqual(self.sink.texts, ["1", "2"])

    def test_the_end_of_the_session_is_the_end_of_both(self):
        self.outbox.close()
        self.assertEqual((self.parts.log.apart, self.second.log.apart), (set(), set()))
        self.parts.say("1")
        self.parts.flush()
        self.assertEqual(self.sink.writes, [])
