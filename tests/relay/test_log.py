from twisted.trial.unittest import SynchronousTestCase

from gateway.relay.event import OVERHEAD
from tests.relay.parts import WEBSOCKET, Parts, event


class PositionTests(SynchronousTestCase):
    def test_events_are_numbered_for_ever(self):
        parts = Parts()
        for turn in range(3):
            events = [event(), event()]
            for each in events:
                parts.log.extend([each])
            self.assertEqual([each.position for each in events], [2 * turn, 2 * turn + 1])
            parts.log.flush()
            parts.log.trim()
        self.assertEqual((parts.log.head, parts.log.flushed, parts.log.tail), (6, 6, 6))

    def test_what_was_not_flushed_reaches_nobody(self):
        parts = Parts()
        _, sink = parts.member()
        late = parts.subscribe(parts.outbox())
        parts.say("a")
        self.assertEqual((parts.log.head, parts.log.flushed), (1, 0))
        self.assertEqual(parts.log.between(0, parts.log.flushed), [])
        self.assertEqual(late.take(WEBSOCKET), [])
        parts.flush()
        self.assertEqual([each.position for each in parts.log.between(0, parts.log.flushed)], [0])
        self.assertEqual(sink.texts, ["a"])

    def test_what_was_said_before_counts_as_nothing_that_this_process_relayed(self):
        log = Parts().log
        log.catch_up([event("before"), event("us")])
        self.assertEqual((log.head, log.count, log.payload_bytes), (2, 0, 0))
        ours = event("ours")
        log.extend([ours])
        self.assertEqual((log.count, log.payload_bytes), (1, ours.size))

    def test_taps_are_told_nothing_that_they_were_told_at_another_place(self):
        parts, told = Parts(), []
        parts.log.taps.append(lambda events: told.append([each.position for each in events]))
        _, sink = parts.member()
        for turn in ("ab", "c", "d"):
            parts.log.told_before.update({1, 2})
            for text in turn:
                parts.say(text)
            parts.flush()
        self.assertEqual((told, sink.texts), ([[0], [3]], ["a", "b", "c", "d"]))

    def test_the_bytes_between_a_position_and_the_last_flush(self):
        log = Parts().log
        for text in ("1", "22", "333"):
            log.extend([event(text)])
        log.flush()
        log.extend([event("not yet")])
        self.assertEqual(
            [log.behind(position) for position in range(5)],
            [6 + 3 * OVERHEAD, 5 + 2 * OVERHEAD, 3 + OVERHEAD, 0, 0],
        )

    def test_the_largest_event_so_far(self):
        log = Parts().log
        for text in ("1", "x" * 50, "333"):
            log.extend([event(text, attachments=[b"12345"])])
        self.assertEqual(log.largest, 55 + OVERHEAD)


class BoundsTests(SynchronousTestCase):
    def fill(self, count, **bounds):
        """A log whose events one reader still needs."""
        self.parts = Parts(**bounds)
        self.reader = self.parts.subscribe(self.parts.outbox())
        self.parts.say(*["x" * 100] * count)
        self.parts.flush()
        return self.parts.log

    def test_records(self):
        self.assertEqual(self.fill(10, max_records=10).surplus(), 0)
        self.assertEqual(self.fill(13, max_records=10).surplus(), 3)

    def test_bytes(self):
        size = 100 + OVERHEAD
        self.assertEqual(self.fill(10, max_bytes=10 * size).surplus(), 0)
        self.assertEqual(self.fill(10, max_bytes=10 * size - 1).surplus(), 1)
        self.assertEqual(self.fill(10, max_bytes=99).surplus(), 10)

    def test_events_of_this_turn_are_never_surplus(self):
        log = self.fill(2, max_records=3)
        for _ in range(9):
            log.extend([event()])
        self.assertEqual(log.surplus(), 2)

    def test_nothing_is_forgotten_that_somebody_still_has_to_read(self):
        log = self.fill(13, max_records=10)
        self.assertEqual(log.tail, 0)
        self.assertEqual([len(self.reader.take(WEBSOCKET)), self.reader.cursor], [13, 13])
        log.trim()
        self.assertEqual((log.tail, log.between(log.tail, log.head)), (13, []))

    def test_what_everybody_has_read_is_forgotten_at_once(self):
        log = self.fill(5)
        self.reader.cursor = 3
        log.trim()
        self.assertEqual((log.tail, log.at(3).position), (3, 3))

    def test_what_everybody_has_read_is_kept_within_the_bounds_when_somebody_may_come_back(self):
        log = self.fill(13, max_records=10)
        log.retain = True
        self.reader.close()
        log.trim()
        self.assertEqual((log.tail, log.at(3).position), (3, 3))
        log.retain = False
        log.trim()
        self.assertEqual(log.tail, 13)
