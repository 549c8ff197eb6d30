from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.forms import POLLING4
from gateway.relay.turn import POLLED_BYTES, POLLS, Turn
from tests.relay.parts import Parts, Sink


class ScheduleTests(SynchronousTestCase):
    def test_many_events_are_one_flush(self):
        scheduled = []
        turn = Turn(scheduled.append)
        for _ in range(3):
            turn.schedule()
        self.assertEqual(len(scheduled), 1)

    def test_what_is_said_during_a_flush_is_for_the_next(self):
        parts = Parts()
        _, sink = parts.member()
        sink.on_write = lambda: len(sink.writes) < 3 and parts.say(f"more {len(sink.writes)}")
        parts.say("first")
        parts.turns()
        self.assertEqual(sink.texts, ["first"])
        parts.turns()
        self.assertEqual(sink.texts, ["first", "more 1"])
        parts.flush()
        self.assertEqual(sink.texts, ["first", "more 1", "more 2"])


class OrderTests(SynchronousTestCase):
    def test_views_write_first_and_who_stepped_aside_after_them(self):
        parts = Parts()
        order = []
        sender, own = parts.member()
        _, other = parts.member()
        own.on_write = lambda: order.append("aside")
        other.on_write = lambda: order.append("view")
        parts.say("of the sender", sender=sender)
        parts.say("of the gateway")
        parts.flush()
        self.assertEqual(order, ["view", "aside"])

    def test_nothing_is_forgotten_before_somebody_could_deal_with_it(self):
        parts = Parts(max_records=2)
        _, sink = parts.member()
        sink.room = False
        seen = []
        parts.turn.before_trim = lambda log: seen.append((log.tail, log.surplus()))
        parts.say("0")
        parts.flush()
        parts.say("1", "2", "3")
        parts.flush()
        self.assertEqual(seen, [(0, 0), (1, 2)])

    def test_logs_flush_together(self):
        parts, sinks = Parts(), []
        second = type(parts.log)("E", max_bytes=1000, max_records=10)
        parts.turn.logs.append(second)
        outbox = parts.outbox(sink := Sink())
        parts.subscribe(outbox)
        parts.log, first = second, parts.log
        parts.subscribe(outbox)
        parts.flush()
        parts.say("second")
        parts.log = first
        parts.say("first")
        self.assertEqual(sinks, [])
        parts.turns()
        self.assertEqual(sink.texts, ["first", "second"])


class PollsTests(SynchronousTestCase):
    def answered(self, count, text):
        """How many of `count` hasty polls have been told `text` after each turn, in their order."""
        parts, order = Parts(max_bytes=1 << 24), []
        members = [parts.member(POLLING4) for _ in range(count)]
        for number, (_, sink) in enumerate(members):
            sink.room = False
            sink.on_write = partial(order.append, number)
        parts.say("for those who wait")
        parts.flush()
        parts.say(text)
        parts.flush()
        order.clear()
        for subscription, _ in members:
            subscription.outbox.resume()
        answered = []
        while len(order) < count:
            parts.turns()
            answered.append(len(order))
        self.assertEqual(order, list(range(count)))
        self.assertEqual(parts.scheduled, [])
        return answered

    def test_hasty_polls_do_not_fill_a_turn(self):
        found = self.answered(2 * POLLS + 1, "for their next poll")
        self.assertEqual(found, [POLLS, 2 * POLLS, 2 * POLLS + 1])

    def test_long_answers_leave_room_for_others_too(self):
        self.assertEqual(self.answered(5, "x" * (POLLED_BYTES // 2)), [2, 4, 5])

    def test_who_changed_its_transport_since_it_polled_hears_nothing_twice(self):
        parts = Parts()
        subscription, sink = parts.member()
        parts.flush()
        parts.log.retain = True
        parts.say("once")
        subscription.outbox.attach(Sink(POLLING4))  # its answer is due after the flush
        subscription.outbox.attach(sink)
        parts.flush()
        self.assertEqual(sink.texts, ["once"])
