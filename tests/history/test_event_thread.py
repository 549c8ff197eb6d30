"""A tap whose work a thread does."""

import threading
from collections.abc import Sequence

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from gateway.history import event_thread
from gateway.history.event_thread import LOOK, OVERHEAD, EventThread, Gap
from gateway.history.heard_event import HeardEvent
from gateway.relay.event import Event
from gateway.relay.log import Log
from tests.history.events import event
from tests.patience import PATIENCE


class Notes:
    """A duty that notes what it is told; it can be made to wait, or to raise."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.takes = threading.Event()
        self.fails = False
        self.threads: set[str] = set()

    def take(self, events: Sequence[HeardEvent]) -> None:
        self.threads.add(threading.current_thread().name)
        self.takes.set()
        assert self.may_go_on.wait(PATIENCE)
        if self.fails:
            self.fails = False
            raise RuntimeError("as asked")
        self.told += [f"{each.wall:g}" for each in events]

    def gap(self, gap: Gap) -> None:
        self.told.append(f"gap {gap.since:g}-{gap.until:g} {gap.events}: {gap.reason}")

    def tick(self) -> float | None:
        return None

    def flush(self) -> None:
        self.told.append("flushed")

    def close(self) -> None:
        self.told.append("closed")


SIZE = event(0).size + OVERHEAD


class EventThreadTests(TestCase):
    def make(self, room: int = 100, period: float = 0.0) -> None:
        self.duty = Notes()
        self.tap = EventThread(
            "notes", self.duty, reactor.callFromThread, max_bytes=room * SIZE, period=period
        )

    def send(self, *walls: float) -> None:
        self.tap.collect([event(wall) for wall in walls])
        self.tap.hand_over()

    async def stop(self) -> None:
        ended: Deferred[None] = Deferred()
        self.tap.stop(lambda: ended.callback(None))
        await ended

    async def taking(self) -> None:
        """Wait until the duty was called."""
        assert self.duty.takes.wait(PATIENCE)

    async def test_events_come_in_order_and_all_before_the_end(self) -> None:
        self.make()
        self.send(1)
        self.tap.start()
        self.send(2, 3)
        self.send(4)
        await self.stop()
        self.assertEqual(self.duty.told, ["1", "2", "3", "4", "closed"])
        self.assertEqual(self.duty.threads, {"notes"})
        self.assertEqual(self.tap.waiting, 0)

    async def test_a_flush_waits_until_all_is_written_and_more_may_come(self) -> None:
        self.make()
        self.tap.flush()  # no thread, nothing to wait for
        self.tap.start()
        self.tap.collect([event(1)])
        self.tap.flush()
        self.assertEqual(self.duty.told, ["1", "flushed"])
        self.send(2)
        await self.stop()
        self.assertEqual(self.duty.told, ["1", "flushed", "2", "closed"])

    async def test_a_flush_does_not_wait_for_ever(self) -> None:
        self.patch(event_thread, "FLUSH_PATIENCE", 0.01)
        self.make()
        self.tap.start()
        self.duty.may_go_on.clear()
        self.send(1)
        self.tap.flush()
        self.assertEqual(self.duty.told, [])
        self.duty.may_go_on.set()
        await self.stop()

    async def test_an_event_after_a_pause_wakes_the_thread(self) -> None:
        self.make()
        self.tap.start()
        for wall in range(1, 6):
            self.duty.takes.clear()
            self.send(wall)
            await self.taking()
        await self.stop()
        self.assertEqual(self.duty.told, ["1", "2", "3", "4", "5", "closed"])

    async def test_the_events_of_many_turns_are_handed_over_at_once(self) -> None:
        self.make()
        for wall in range(1, 100):
            self.tap.collect([event(wall)])
        self.assertEqual(self.tap.waiting, 0)
        self.tap.hand_over()
        self.tap.hand_over()
        self.assertEqual(len(self.tap._queue), 1)
        self.tap.start()
        await self.stop()
        self.assertEqual(self.duty.told, [*map(str, range(1, 100)), "closed"])

    async def test_events_are_collected_for_a_period_or_until_they_are_many(self) -> None:
        self.make(period=10 * LOOK)
        self.tap.collect([event(1)])
        for _ in range(9):
            self.tap.look()
        self.assertEqual(self.tap.waiting, 0)
        self.tap.look()
        self.assertEqual(self.tap.waiting, SIZE)
        self.patch(event_thread, "MUCH", 2 * SIZE)
        for each in placed(2, 3):
            self.assertEqual(self.tap.waiting, SIZE)
            self.tap.collect([each])
            self.tap.look()
        self.assertEqual(self.tap.waiting, 3 * SIZE)
        self.tap.start()
        await self.stop()
        self.assertEqual(self.duty.told, ["1", "2", "3", "closed"])

    async def test_what_others_say_between_two_events_is_none_of_their_bytes(self) -> None:
        self.make(period=10 * LOOK)
        first, other, last = placed(1, 2, 3)
        self.patch(event_thread, "MUCH", 3 * SIZE)
        for each in (first, last):
            self.tap.collect_one(each)
        self.tap.look()
        self.assertEqual(self.tap.waiting, 2 * SIZE, "early, since the log has had much")
        self.tap.collect([other])
        self.tap.hand_over()
        self.assertEqual(self.tap.waiting, 3 * SIZE)
        self.tap.start()
        await self.stop()
        self.assertEqual(self.tap.waiting, 0)
        self.assertEqual(self.duty.told, ["1", "3", "2", "closed"])

    async def test_what_was_collected_comes_before_a_later_call_and_before_the_end(self) -> None:
        self.make()
        self.tap.collect([event(1)])
        self.tap.call(lambda: self.duty.told.append("called"))
        self.tap.collect([event(2)])
        self.tap.start()
        await self.stop()
        self.assertEqual(self.duty.told, ["1", "called", "2", "closed"])

    async def test_of_what_was_collected_the_first_fit(self) -> None:
        self.make(room=2)
        self.send(1, 2, 3, 4)
        self.assertEqual(self.tap.dropped, 2)
        self.tap.start()
        await self.stop()
        gap = "gap 3-4 2: more came than could be written"
        self.assertEqual(self.duty.told, ["1", "2", gap, "closed"])

    async def test_no_thread_runs_before_the_start(self) -> None:
        before = threading.active_count()
        self.make()
        self.assertEqual(threading.active_count(), before)
        await self.stop()

    async def test_what_does_not_fit_is_a_gap_in_its_place(self) -> None:
        self.make(room=2)
        self.duty.may_go_on.clear()
        self.tap.start()
        self.send(1)
        await self.taking()
        self.send(2)
        self.send(3)
        self.send(4, 5)
        self.assertTrue(self.tap.is_full)
        self.assertEqual(self.tap.dropped, 3)
        self.duty.may_go_on.set()
        while self.tap.waiting:
            await wait()
        self.send(6)
        self.assertFalse(self.tap.is_full)
        await self.stop()
        gap = "gap 3-5 3: more came than could be written"
        self.assertEqual(self.duty.told, ["1", "2", gap, "6", "closed"])

    async def test_a_gap_is_told_even_when_nothing_comes_after_it(self) -> None:
        self.make(room=1)
        self.send(1)
        self.send(2)
        self.tap.start()
        await self.stop()
        self.assertEqual(
            self.duty.told[1:], ["gap 2-2 1: more came than could be written", "closed"]
        )

    async def test_a_gap_after_which_nothing_comes_is_told_when_there_is_room(self) -> None:
        self.make(room=1)
        self.send(1)
        self.send(2)
        self.tap.settle()
        self.assertTrue(self.tap.is_full, "what waits comes first")
        self.tap.start()
        while self.tap.waiting:
            await wait()
        self.tap.settle()
        self.assertFalse(self.tap.is_full)
        while len(self.duty.told) < 2:
            await wait()
        self.assertEqual(self.duty.told, ["1", "gap 2-2 1: more came than could be written"])
        self.tap.settle()
        await self.stop()
        self.assertEqual(self.duty.told[2:], ["closed"])

    async def test_an_event_that_is_larger_than_the_queue_is_taken_alone(self) -> None:
        self.make(room=1)
        self.tap.start()
        self.tap.collect([event(1, "chart", "x" * 1000)])
        await self.stop()
        self.assertEqual(self.duty.told, ["1", "closed"])

    async def test_what_raises_costs_its_events_and_not_the_thread(self) -> None:
        self.make()
        self.duty.fails = True
        self.tap.start()
        self.send(1, 2)
        self.send(3)
        await self.stop()
        self.assertEqual(self.duty.told, ["gap 1-2 2: as asked", "3", "closed"])
        self.assertEqual(self.tap.failed, 2)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


def placed(*walls: float) -> list[Event]:
    """Events that follow each other in a log."""
    events = [event(wall) for wall in walls]
    Log("", max_bytes=1 << 20, max_records=100).extend(events)
    return events


async def wait() -> None:
    turn: Deferred[None] = Deferred()
    reactor.callLater(0.001, turn.callback, None)
    await turn
