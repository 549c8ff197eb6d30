"""What `benchmarks.main_thread` makes of a trace, and the day of `benchmarks.market_day`."""

from datetime import datetime
from itertools import count
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.main_thread import FRAME, TASK, read
from benchmarks.market_day import place, spans
from gateway.market.hours import TAIPEI

MAIN, OTHER = (1, 1), (2, 2)


def thread(name: str, where: tuple[int, int]) -> dict[str, Any]:
    told = {"name": "thread_name", "ph": "M", "args": {"name": name}}
    return {**told, "pid": where[0], "tid": where[1]}


def event(name: str, begin: int, end: int, spent: int, where: tuple[int, int] = MAIN) -> Any:
    """`spent` milliseconds of the processor, from `begin` to `end` by the clock."""
    times = {"ts": 1000 * begin, "dur": 1000 * (end - begin), "tdur": 1000 * spent}
    return {"name": name, "ph": "X", "pid": where[0], "tid": where[1], **times}


class TraceTests(SynchronousTestCase):
    def test_what_is_within_a_script_is_no_script(self) -> None:
        work = read(
            [
                thread("CrRendererMain", MAIN),
                event(TASK, 0, 100, 40),
                event("FunctionCall", 10, 90, 30),
                event("FunctionCall", 20, 50, 12),
                event("Layout", 30, 40, 5),
                event("Paint", 91, 99, 8),
            ]
        )
        (task,) = work.tasks
        self.assertEqual(
            (task.spent, dict(task.kinds)), (40, {"script": 25, "layout": 5, "paint": 8})
        )
        self.assertEqual(work.longest, task)
        self.assertEqual(str(task), "40.0 ms (script 25.0, paint 8.0, layout 5.0)")

    def test_a_frame_has_what_came_since_the_one_before(self) -> None:
        work = read(
            [
                thread("CrRendererMain", MAIN),
                event("FunctionCall", 0, 3, 2),
                event(FRAME, 10, 20, 6),
                event("FunctionCall", 11, 19, 5),
                event("FunctionCall", 25, 26, 1),
                event(FRAME, 30, 40, 4),
                event("FunctionCall", 31, 39, 3),
                event("FunctionCall", 50, 51, 1),
            ]
        )
        self.assertEqual([frame["script"] for frame in work.frames], [7, 4])
        self.assertEqual((work.script(0.5), work.script(0)), (7, 4))

    def test_of_several_pages_it_is_the_busiest(self) -> None:
        many = [event(TASK, begin, begin + 1, 1, OTHER) for begin in range(5)]
        mains = [thread("CrRendererMain", MAIN), thread("CrRendererMain", OTHER)]
        found = read([*mains, event(TASK, 0, 9, 9), *many])
        self.assertEqual([task.spent for task in found.tasks], [1] * 5)
        self.assertEqual(read([thread("Compositor", MAIN), event(TASK, 0, 9, 9)]).tasks, [])


class DayTests(SynchronousTestCase):
    def told(self, now: datetime) -> list[str]:
        times = (each for span in spans(now.timestamp()) for each in span[:2])
        return [f"{datetime.fromtimestamp(at, TAIPEI):%a %H:%M}" for at in times]

    def test_it_is_the_last_one_that_is_over(self) -> None:
        for day, hour, first, then, after in (
            (1, 10, "Mon", "Tue", "Tue"),
            (1, 9, "Fri", "Sat", "Mon"),
            (5, 12, "Thu", "Fri", "Fri"),
            (6, 12, "Thu", "Fri", "Fri"),
        ):
            told = [f"{first} 08:30", f"{first} 13:45", f"{first} 15:00", f"{then} 05:00"]
            now = datetime(2026, 12, day, hour, tzinfo=TAIPEI)
            self.assertEqual(self.told(now), [*told, f"{after} 08:45", f"{after} 09:15"])

    def test_its_pauses_take_no_time(self) -> None:
        day = spans(datetime(2026, 12, 1, 10, tzinfo=TAIPEI).timestamp())
        at = [place(day, part / 100)[1] for part in range(101)]
        self.assertEqual(at, sorted(at))
        self.assertEqual((at[0], at[-1]), (day[0].begin, day[-1].end))
        for moment, number in zip(at, count(), strict=False):
            span = place(day, number / 100)[0]
            self.assertTrue(span.begin <= moment <= span.end)
