import tracemalloc

from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.forms import POLLING4
from gateway.engineio.outbox import WRITE_BYTES
from gateway.relay.event import OVERHEAD
from gateway.relay.selection import Selection
from tests.relay.parts import WEBSOCKET, Parts, Sink, record


def texts(records):
    return [each.packets[0].data.decode() for each in records]


class OrderTests(SynchronousTestCase):
    def setUp(self):
        self.parts = Parts()
        self.subscription, self.sink = self.parts.member()

    def test_what_is_said_to_one_is_in_its_place_between_the_events(self):
        self.parts.say("a")
        self.subscription.send(record("1"))
        self.parts.say("b")
        self.subscription.send(record("2"))
        self.subscription.send(record("3"))
        self.parts.flush()
        self.assertEqual(self.sink.texts, ["a", "1", "b", "2", "3"])

    def test_also_when_it_is_behind(self):
        self.sink.room = False
        for text in "abc":
            self.parts.say(text)
            self.subscription.send(record(text.upper()))
            self.parts.flush()
        self.sink.room = True
        self.subscription.outbox.resume()
        self.assertEqual(self.sink.texts, ["a", "A", "b", "B", "c", "C"])

    def test_own_events_are_passed_over(self):
        other, heard = self.parts.member()
        self.parts.say("mine", sender=self.subscription)
        self.parts.say("yours", sender=other)
        self.parts.say("mine", sender=self.subscription)
        self.parts.flush()
        self.assertEqual(self.sink.texts, ["yours"])
        self.assertEqual(heard.texts, ["mine", "mine"])

    def test_a_sender_shares_again_in_the_next_turn(self):
        _, heard = self.parts.member()
        self.parts.say("mine", sender=self.subscription)
        self.parts.flush()
        self.parts.say("of the gateway")
        self.parts.flush()
        self.assertIs(self.sink.writes[-1], heard.writes[-1])

    def test_what_is_not_selected_is_passed_over(self):
        subscription, sink = self.parts.member(selection=Selection(None, frozenset("A")))
        sink.room = False
        for code in "ABAB":
            self.parts.say(code, code=code)
            self.parts.flush()
        sink.room = True
        subscription.outbox.resume()
        self.assertEqual(sink.texts, ["A", "A"])

    def test_a_new_selection_counts_from_where_it_was_made(self):
        subscription, sink = self.parts.member(selection=Selection(None, frozenset("A")))
        self.parts.say("1", code="B")
        self.parts.flush()
        self.parts.say("2", code="A")
        self.parts.say("3", code="B")
        subscription.select(Selection(None, frozenset("B")))
        self.parts.say("4", code="A")
        self.parts.say("5", code="B")
        self.parts.flush()
        self.assertEqual(sink.texts, ["2", "5"])

    def test_who_joins_hears_what_comes_after(self):
        self.parts.say("before")
        late = self.parts.subscribe(self.parts.outbox(sink := Sink()))
        self.parts.say("after")
        self.parts.flush()
        self.assertEqual((sink.texts, late.start), (["after"], 1))


class TakeTests(SynchronousTestCase):
    def setUp(self):
        self.parts = Parts(max_bytes=1 << 24)
        self.subscription = self.parts.subscribe(self.parts.outbox())

    def sizes(self, form):
        sizes = []
        while batch := self.subscription.take(form):
            sizes.append(len(batch))
        return sizes

    def test_at_most_so_many_bytes(self):
        self.parts.say(*["x" * (WRITE_BYTES // 4)] * 9)
        self.parts.flush()
        self.assertEqual(self.sizes(WEBSOCKET), [4, 4, 1])

    def test_of_much_that_was_missed_only_what_is_taken_is_looked_at(self):
        self.parts.say(*"abcd" * 2000)
        self.parts.flush()
        late = self.parts.subscribe(self.parts.outbox())
        late.read_from(0, 0)
        taken = texts(late.take(POLLING4))
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        while len(taken) < 1000:
            taken += texts(late.take(POLLING4))
        _, most = tracemalloc.get_traced_memory()
        self.assertEqual("".join(taken), ("abcd" * 2000)[: len(taken)])
        self.assertLess(most, 4 * 7000)  # a list of the others would have 8 bytes for each

    def test_of_what_was_told_before_it_had_an_offset_the_rest_is_passed_over(self):
        log = self.parts.log
        for text in "abcd":
            log.epoch = "E" if text in "bd" else ""
            self.parts.say(text)
        self.parts.flush()
        back = self.parts.subscribe(self.parts.outbox())
        back.send(record("hello"))
        back.read_from(3, 0)
        self.assertEqual(texts(back.take(WEBSOCKET)), ["hello", "a", "c", "d"])
        self.assertEqual(back.lag, 0)

    def test_at_least_one_record(self):
        self.parts.say("a", "x" * 2 * WRITE_BYTES, "b")
        self.parts.flush()
        self.assertEqual(self.sizes(WEBSOCKET), [1, 1, 1])

    def test_at_most_so_many_packets_as_the_form_allows(self):
        self.parts.say("x", "y", attachments=[b"1"] * 10)
        self.parts.say(*"abcdefghijklmnopqrstuvwxyz")
        self.parts.flush()
        self.assertEqual(self.sizes(POLLING4), [1, 6, 16, 5])

    def test_many_records_of_its_own(self):
        for number in range(40):
            self.subscription.send(record(f"{number}"))
        first = self.subscription.take(POLLING4)
        second = self.subscription.take(POLLING4)
        self.assertEqual(texts(first + second), [f"{number}" for number in range(32)])


class ConflationTests(SynchronousTestCase):
    def setUp(self):
        self.parts = Parts()
        self.sink = Sink()
        self.subscription = self.parts.subscribe(self.parts.outbox(self.sink))
        self.parts.flush()
        self.sink.room = False
        self.parts.say("full")
        self.parts.flush()
        self.sink.writes.clear()

    def say(self, *keyed, **more):
        for text in keyed:
            self.parts.say(text, key=text[0] if text[0].isupper() else None, **more)
        self.parts.flush()

    def read(self):
        self.sink.room = True
        self.subscription.outbox.resume()
        return self.sink.texts

    def test_only_the_newest_of_a_key_is_left_in_order(self):
        self.say("A1", "B1", "A2", "C1", "B2", "A3")
        self.assertEqual(self.subscription.conflate(), 3)
        self.assertEqual(self.read(), ["C1", "B2", "A3"])

    def test_events_without_a_key_stay(self):
        self.say("A1", "x", "A2", "x", "A3", "y")
        self.assertEqual(self.subscription.conflate(), 2)
        self.assertEqual(self.read(), ["x", "x", "A3", "y"])

    def test_again_and_again(self):
        self.say("A1", "B1", "x")
        self.subscription.conflate()
        self.say("B2", "y", "B3")
        self.assertEqual(self.subscription.conflate(), 2)
        self.say("A2")
        self.assertEqual(self.read(), ["A1", "x", "y", "B3", "A2"])

    def test_what_was_said_to_one_stays_in_its_place(self):
        self.say("A1", "x")
        self.subscription.send(record("direct"))
        self.say("y", "A2")
        self.subscription.conflate()
        self.assertEqual(self.read(), ["x", "direct", "y", "A2"])

    def test_own_events_are_not_counted(self):
        self.say("A1", "A2", sender=self.subscription)
        self.say("A3")
        self.assertEqual(self.subscription.conflate(), 0)
        self.assertEqual(self.read(), ["A3"])

    def test_an_own_newer_event_replaces_nothing(self):
        self.say("A1")
        self.say("A2", sender=self.subscription)
        self.subscription.conflate()
        self.assertEqual(self.read(), ["A1"])

    def test_the_log_may_forget_it(self):
        self.say("A1", "x", "A2")
        self.subscription.conflate()
        self.parts.log.trim()
        self.assertEqual(self.parts.log.tail, self.parts.log.head)
        self.assertEqual(self.read(), ["x", "A2"])

    def test_it_shares_again_when_it_has_read_everything(self):
        _, heard = self.parts.member()
        self.say("A1", "A2")
        self.subscription.conflate()
        self.read()
        self.say("x")
        self.assertIs(self.sink.writes[-1], heard.writes[-1])


class LagTests(SynchronousTestCase):
    def setUp(self):
        self.parts = Parts()
        self.subscription, self.sink = self.parts.member()

    def test_none_while_it_is_caught_up(self):
        self.parts.say("x" * 100)
        self.assertEqual(self.subscription.lag, 0)
        self.parts.flush()
        self.parts.say("x" * 100)
        self.parts.flush()
        self.assertEqual(self.subscription.lag, 0)

    def test_everything_that_waits_counts(self):
        self.sink.room = False
        self.parts.say("taken")
        self.parts.flush()
        self.parts.say("A1", "A2", key="A")
        self.parts.say("three")
        self.subscription.send(record("direct"))
        self.parts.flush()
        self.assertEqual(self.subscription.lag, 2 + 2 + 5 + 6 + 4 * OVERHEAD)
        self.subscription.conflate()
        self.assertEqual(self.subscription.lag, 2 + 5 + 6 + 3 * OVERHEAD)
        self.assertEqual(self.subscription.undroppable, 5 + 6 + 2 * OVERHEAD)


class CloseTests(SynchronousTestCase):
    def setUp(self):
        self.parts = Parts()
        self.subscription, self.sink = self.parts.member()

    def test_events_are_over(self):
        self.parts.say("a")
        self.subscription.close()
        self.parts.flush()
        self.assertEqual((self.sink.texts, self.parts.log.apart), ([], set()))

    def test_what_was_said_to_it_is_still_sent(self):
        self.parts.say("a")
        self.subscription.send(record("1"))
        self.subscription.send(record("2"))
        self.subscription.close()
        self.subscription.outbox.send(record("farewell"))
        self.parts.flush()
        self.assertEqual(self.sink.texts, ["1", "2", "farewell"])

    def test_twice_is_once(self):
        self.subscription.send(record("1"))
        self.subscription.close()
        self.subscription.close()
        self.parts.flush()
        self.assertEqual(self.sink.texts, ["1"])
