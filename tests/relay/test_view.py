from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.forms import POLLING4
from gateway.engineio.outbox import WRITE_BYTES, Form
from gateway.relay.selection import Selection
from gateway.relay.view import View
from tests.relay.parts import WEBSOCKET, Parts, Sink, record


class CountingForm(Form):
    """A form that remembers what it was asked to encode."""

    key = "counting"

    def __init__(self, max_packets=0):
        self.max_packets = max_packets
        self.calls = []

    def encode(self, records):
        self.calls.append(len(records))
        return WEBSOCKET.encode(records)


class SharingTests(SynchronousTestCase):
    def setUp(self):
        self.parts = Parts()

    def test_everybody_who_is_caught_up_gets_the_very_same_bytes(self):
        sinks = [self.parts.member()[1] for _ in range(3)]
        self.parts.say("a", "b")
        self.parts.flush()
        self.assertEqual(sinks[0].texts, ["a", "b"])
        for sink in sinks:
            self.assertEqual(len(sink.writes), 1)
            self.assertIs(sink.writes[0], sinks[0].writes[0])

    def test_a_turn_is_encoded_once(self):
        form = CountingForm()
        for _ in range(3):
            self.parts.member(form)
        self.parts.say("a", "b")
        self.parts.flush()
        self.assertEqual(form.calls, [2])

    def test_equal_selections_share_and_others_do_not(self):
        one = Selection(frozenset(("e",)), None)
        same, other = Selection(frozenset(("e",)), None), Selection(None, frozenset(("A",)))
        sinks = [self.parts.member(selection=each)[1] for each in (one, same, other)]
        self.parts.say("a", code="B")
        self.parts.flush()
        self.assertIs(sinks[0].writes[0], sinks[1].writes[0])
        self.assertEqual(sinks[2].writes, [])

    def test_nothing_is_written_where_nothing_is_wanted(self):
        _, sink = self.parts.member(selection=Selection(None, frozenset(("A",))))
        self.parts.say("no", code="B")
        self.parts.flush()
        self.parts.say("yes", code="A")
        self.parts.say("no", code="B")
        self.parts.flush()
        self.assertEqual(sink.texts, ["yes"])
        self.assertEqual(len(self.parts.log.apart), 0)


class SpeakerTests(SynchronousTestCase):
    """Nobody hears his own events, and who alone spoke stays where he is."""

    def setUp(self):
        self.parts = Parts()
        (self.one, self.hears_one), (self.two, self.hears_two) = (
            self.parts.member() for _ in range(2)
        )

    def say(self, *said):
        for text, sender in said:
            self.parts.say(text, sender=sender)
        self.parts.turns()
        heard = self.hears_one.texts, self.hears_two.texts
        self.hears_one.writes.clear()
        self.hears_two.writes.clear()
        return heard

    def test_who_spoke_alone_is_spared_by_its_view_and_stays_in_it(self):
        views = []
        join = View.join
        self.patch(View, "join", lambda *about: views.append(about) or join(*about))
        self.assertEqual(self.say(("a", self.one), ("b", self.one)), ([], ["a", "b"]))
        self.assertEqual(self.say(("c", self.two)), (["c"], []))
        self.assertEqual(self.say(("d", None)), (["d"], ["d"]))
        self.assertEqual((views, self.parts.log.apart), ([], set()))

    def test_of_several_each_hears_the_others(self):
        said = ("a", self.one), ("b", self.two), ("c", self.one), ("d", None)
        self.assertEqual(self.say(*said), (["b", "d"], ["a", "c", "d"]))
        self.assertEqual(self.parts.log.apart, set())

    def test_it_hears_what_the_gateway_says_in_the_same_turn(self):
        self.assertEqual(self.say(("a", self.one), ("b", None)), (["b"], ["a", "b"]))

    def test_who_leaves_within_the_turn_in_which_it_spoke_hears_later_ones(self):
        self.hears_two.on_write = self.one.outbox.step_aside
        self.assertEqual(self.say(("a", self.one)), ([], ["a"]))
        self.hears_two.on_write = None
        self.assertEqual(self.say(("b", self.two)), (["b"], []))

    def test_its_events_are_encoded_for_nobody_where_it_is_alone(self):
        form = CountingForm()
        member, _ = self.parts.member(form)
        self.say(("a", member))
        self.assertEqual(form.calls, [])


class SizeTests(SynchronousTestCase):
    def setUp(self):
        self.parts = Parts()

    def test_a_write_holds_at_most_so_many_bytes(self):
        _, sink = self.parts.member()
        self.parts.say(*["x" * 20_000] * 10)
        self.parts.flush()
        self.assertEqual(len(sink.texts), 10)
        self.assertEqual(len(sink.writes), 4)
        self.assertLess(max(map(len, sink.writes)), WRITE_BYTES)

    def test_one_larger_event_goes_alone(self):
        _, sink = self.parts.member()
        self.parts.say("a", "x" * 100_000, "b")
        self.parts.flush()
        self.assertEqual([len(write) for write in sink.writes], [3, 100_010, 3])

    def test_a_form_may_bound_the_packets(self):
        form = CountingForm(max_packets=16)
        self.parts.member(form)
        self.parts.say(*"abcdefghijklmnopqrstuvwxyz")
        self.parts.say("binary", attachments=[b"1"] * 6)
        self.parts.say("binary", attachments=[b"1"] * 10)
        self.parts.flush()
        self.assertEqual(form.calls, [16, 10, 1, 1])


class FullTests(SynchronousTestCase):
    def setUp(self):
        self.parts = Parts()
        self.subscription, self.sink = self.parts.member()
        _, self.other = self.parts.member()

    def test_who_is_full_reads_on_alone_from_there(self):
        self.sink.room = False
        self.parts.say("x" * 40_000, "y" * 40_000, "z" * 40_000)
        self.parts.flush()
        self.assertEqual(self.subscription.cursor, 1)
        self.assertEqual([len(sink.writes) for sink in (self.sink, self.other)], [1, 3])
        self.sink.room = True
        self.subscription.outbox.resume()
        self.assertEqual(self.sink.texts, self.other.texts)

    def test_who_has_read_up_shares_again(self):
        self.sink.room = False
        self.parts.say("a")
        self.parts.flush()
        self.parts.say("b")
        self.parts.flush()
        self.sink.room = True
        self.subscription.outbox.resume()
        self.parts.say("c")
        self.parts.flush()
        self.assertIs(self.sink.writes[-1], self.other.writes[-1])
        self.assertEqual(self.sink.texts, ["a", "b", "c"])

    def test_nothing_is_encoded_for_nobody(self):
        form = CountingForm(max_packets=1)
        _, sink = self.parts.member(form)
        sink.room = False
        self.parts.say("a", "b", "c")
        self.parts.flush()
        self.assertEqual(form.calls, [1])


class ReentrancyTests(SynchronousTestCase):
    """From within a write of a view, anything may happen to anybody."""

    def setUp(self):
        self.parts = Parts()
        members = [self.parts.member() for _ in range(4)]
        self.subscriptions = [subscription for subscription, _ in members]
        self.sinks = [sink for _, sink in members]

    def within(self, number, action):
        """Do `action` in the first write to member `number`."""

        def once():
            self.sinks[number].on_write = None
            action()

        self.sinks[number].on_write = once

    def say(self):
        """Two writes' worth, and one more turn."""
        self.parts.say("x" * 40_000, "y" * 40_000)
        self.parts.flush()
        self.parts.say("end")
        self.parts.flush()

    def got(self, number, *more):
        return [text[0] for sink in (self.sinks[number], *more) for text in sink.texts]

    def test_who_is_closed_is_not_written_to(self):
        for closing, closed, expected in ((1, 2, []), (2, 1, ["x"]), (1, 1, ["x"])):
            self.setUp()
            self.within(closing, self.subscriptions[closed].outbox.close)
            self.say()
            self.assertEqual(self.got(closed), expected)
            self.assertEqual(self.got(0), ["x", "y", "e"])
            self.assertEqual(self.got(3), ["x", "y", "e"])

    def test_a_new_transport_goes_on_where_the_old_one_ended(self):
        for number, other in ((1, 2), (2, 1), (1, 1)):
            self.setUp()
            new = Sink()
            self.within(number, lambda: self.subscriptions[other].outbox.attach(new))  # noqa: B023
            self.say()
            self.assertEqual(self.got(other, new), ["x", "y", "e"])
            self.assertIs(new.writes[-1], self.sinks[0].writes[-1])

    def test_a_full_old_transport_does_not_stop_the_new_one(self):
        new = Sink()
        self.sinks[1].room = False
        self.within(2, lambda: self.subscriptions[1].outbox.attach(new))
        self.parts.say("x")
        self.parts.flush()
        self.say()
        self.assertEqual(self.got(1, new), ["x", "x", "y", "e"])

    def test_who_has_room_again_before_the_write_returns_goes_on(self):
        def resume():
            self.subscriptions[1].outbox.resume()
            if len(self.sinks[1].writes) < 5:
                self.within(1, resume)

        self.sinks[1].room = False
        self.within(1, resume)
        self.say()
        self.assertEqual(self.got(1), ["x", "y", "e"])

    def changes_its_filter(self, *, resumes):
        """Member 1 does, from within a write that fills it; and hears what comes of `xy`."""
        outbox = self.subscriptions[1].outbox

        def change():
            self.subscriptions[1].select(Selection())
            if resumes:  # as a POST before the next GET, on one connection
                outbox.resume()

        self.sinks[1].room = False
        self.within(1, change)
        for text in "xy":
            self.parts.say(text)
            self.parts.flush()
        return self.got(1)

    def test_who_changes_its_filter_is_full_all_the_same(self):
        self.assertEqual(self.changes_its_filter(resumes=False), ["x"])

    def test_who_changes_its_filter_and_has_room_again_goes_on(self):
        self.assertEqual(self.changes_its_filter(resumes=True), ["x", "y"])

    def test_who_has_room_again_while_others_are_written_to_goes_on(self):
        self.sinks[1].room = False
        self.within(2, self.subscriptions[1].outbox.resume)
        self.parts.say("x")
        self.parts.flush()
        self.parts.say("y")
        self.parts.flush()
        self.assertEqual(self.got(1), ["x", "y"])

    def test_who_was_behind_may_catch_up(self):
        self.sinks[2].room = False
        self.parts.say("a")
        self.parts.flush()

        def resume():
            self.sinks[2].room = True
            self.subscriptions[2].outbox.resume()

        self.within(1, resume)
        self.say()
        self.assertEqual(self.got(2), ["a", "x", "y", "e"])
        self.assertEqual(len(self.parts.log.apart), 0)

    def test_what_is_said_to_one_follows_the_turn(self):
        for number, other in ((1, 2), (2, 1), (1, 1)):
            self.setUp()
            said = record("direct")
            self.within(number, lambda: self.subscriptions[other].send(said))  # noqa: B023
            self.say()
            self.assertEqual(self.got(other), ["x", "y", "d", "e"])

    def test_an_event_follows_the_turn_and_spares_its_sender(self):
        self.within(1, lambda: self.parts.say("new", sender=self.subscriptions[2]))
        self.say()
        self.assertEqual(self.got(2), ["x", "y", "e"])
        self.assertEqual(self.got(3), ["x", "y", "n", "e"])

    def test_a_poll_may_bring_the_next_one(self):
        subscription, sink = self.parts.member(POLLING4)
        sink.room = False
        sink.on_write = lambda: len(sink.writes) < 3 and subscription.outbox.resume()
        self.parts.say("a", "b")
        self.parts.flush()
        self.parts.say("c")
        self.parts.flush()
        self.parts.say("d")
        self.parts.flush()
        self.parts.say("e")
        self.parts.flush()
        self.assertEqual(sink.writes, [b"a\x1eb", b"c", b"d"])
