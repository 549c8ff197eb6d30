"""Ticks become bars."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.history.bars import Bar, BarBuilder, Bars, TooManyCodesError, joined, within
from gateway.history.trades import (
    MARKS,
    BrokerBar,
    Tick,
    mark_of,
    plain_ticks,
    read_kbars,
    read_tick,
)
from gateway.market.hours import TAIPEI, Calendar

CALENDAR = Calendar()
NANOSECONDS = 10**9


def at(text: str) -> float:
    """Seconds since 1970 of Taipei's time on 2026-11-30, a Monday; or of a whole time."""
    whole = text if "T" in text else f"2026-11-30T{text}"
    return datetime.fromisoformat(whole).replace(tzinfo=TAIPEI).timestamp()


def builder(**given: Any) -> BarBuilder:
    return BarBuilder(CALENDAR.session_span, **given)


def told(**changes: Any) -> dict[str, Any]:
    tick = {
        "exchange": "TAIFEX",
        "code": "TXFL6",
        "datetime": "2026-11-30T09:00:00.500000+08:00",
        "close": 23000.0,
        "price": 23000.0,
        "volume": 2,
        "total_volume": 1000,
    }
    return {**tick, **changes}


def plain(bars: Bars) -> dict[tuple[str, int], tuple[float, ...]]:
    """By code and time: open, high, low, close and volume."""
    return {key: (b.open, b.high, b.low, b.close, b.volume) for key, b in bars.items()}


class ReadingTests(SynchronousTestCase):
    def test_a_tick(self) -> None:
        wanted = Tick("TXFL6", at("09:00:00.5"), 23000.0, 2, 1000)
        self.assertEqual(read_tick(told()), wanted)
        for changes in (
            {"datetime": "2026-11-30T09:00:00.5"},
            {"datetime": "2026/11/30 09:00:00.500000"},
            {"datetime": "2026-11-30T01:00:00.5Z"},
            {"price": "23000", "volume": "2", "total_volume": "1000"},
            {"price": None},
            {"datetime": None, "timestamp": "2026-11-30T09:00:00.500+08:00"},
            {"simtrade": False, "intraday_odd": 0},
        ):
            self.assertEqual(read_tick(told(**changes)), wanted, changes)
        self.assertIsNone(read_tick(told(total_volume=None)).total)

    def test_trial_matches_and_odd_lots_are_left_out(self) -> None:
        self.assertIsNone(read_tick(told(simtrade=True)))
        self.assertIsNone(read_tick(told(simtrade=1)))
        self.assertIsNone(read_tick(told(intraday_odd=True)))

    def test_what_can_not_be_read_is_named(self) -> None:
        for field, values in {
            "code": (None, "", 7, "x" * 101),
            "datetime": (None, "", "yesterday", 12, "2026-13-30T09:00", ["x"]),
            "price": ("", "x", True, [], {}, 10**400, "nan"),
            "volume": (None, -1, "x", []),
            "total_volume": ("x", -1, True),
        }.items():
            for value in values:
                error = self.assertRaises(ValueError, read_tick, told(**{field: value}))
                self.assertIn(field, str(error), value)

    def test_what_is_read_of_many_is_what_is_read_of_each_or_nothing(self) -> None:
        values = (
            None,
            "",
            "x",
            True,
            False,
            0,
            1,
            -1,
            7.5,
            "7.5",
            1e16,
            [],
            {},
            "2026-11-30T09:00Z",
        )
        fields = (*told(), "timestamp", "simtrade", "intraday_odd", *MARKS)
        changed = [{}, *({field: value} for field in fields for value in values)]
        changed += [{"datetime": each} for each in ("2026-11-30T09:00:00.1", "2026/11/30 09:00:00")]
        understood = 0
        ticks = [told(**changes) for changes in changed]
        del ticks[0]["volume"]
        payloads = [orjson.dumps(["market_tick", each, "more"]) for each in ticks]
        for found in (plain_ticks(payloads), [plain_ticks([each])[0] for each in payloads]):
            for tick, trade in zip(ticks, found, strict=True):
                if trade is not None:
                    understood += 1
                    self.assertEqual((trade, mark_of(tick)), (read_tick(tick), ""), tick)
        self.assertGreater(understood, 2 * 50)
        usual = [orjson.dumps(["market_tick", told()])] * 3
        self.assertEqual(plain_ticks(usual), [read_tick(told())] * 3)
        self.assertIsNone(plain_ticks([orjson.dumps(["market_tick"])])[0])

    def test_marks(self) -> None:
        for mark in ("demo", "replay", "rehearsal"):
            self.assertEqual(mark_of({mark: True}), mark)
        self.assertEqual(mark_of({"demo": False, "simulation": True}), "")


def kbars(*ends: str, **changes: Any) -> dict[str, Any]:
    """As Shioaji's: the minute's end, Taipei's wall time written as if it were UTC."""
    stamps = [int(at(end) + 8 * 3600) * NANOSECONDS for end in ends]
    prices = {name: [100.0] * len(ends) for name in ("Open", "High", "Low", "Close")}
    return {"code": "TXFR1", "ts": stamps, **prices, "Volume": [5] * len(ends), **changes}


class BrokersBarsTests(SynchronousTestCase):
    def test_a_bar_begins_a_minute_before_its_time(self) -> None:
        rows = read_kbars(kbars("13:45:00", "08:46:00"))
        self.assertEqual(rows[0], BrokerBar(int(at("08:45")), 100, 100, 100, 100, 5))
        self.assertEqual(rows[1].time, at("13:44"))

    def test_a_minute_that_is_not_over_is_left_out(self) -> None:
        rows = read_kbars(kbars("09:00:00", "09:01:00"))
        self.assertEqual([row.time for row in within(rows, 0, at("09:00:30"))], [at("08:59")])

    def test_what_can_not_be_read_is_named(self) -> None:
        for changes, word in (
            ({"ts": None}, "lists"),
            ({"Volume": [1, 2]}, "length"),
            ({"ts": [int(at("09:00"))]}, "nanoseconds"),
            ({"ts": ["x"]}, "nanoseconds"),
            ({"Open": ["x"]}, "Open"),
            ({"Volume": [-1]}, "Volume"),
            ({"High": [99.0]}, "High"),
            ({"ts": [1] * 20_001}, "length"),
        ):
            error = self.assertRaises(ValueError, read_kbars, kbars("09:01", **changes))
            self.assertIn(word, str(error), changes)
        many = kbars(*["09:01"] * 20_001)
        self.assertIn("20000", str(self.assertRaises(ValueError, read_kbars, many)))
        self.assertEqual(read_kbars(kbars()), [])


class BuilderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.builder = builder()

    def trade(
        self, when: str, price: float, total: float | None, volume: float = 1, code: str = "TXFL6"
    ) -> bool:
        return self.builder.trade(Tick(code, at(when), price, volume, total))

    def minutes(self) -> dict[str, tuple[float, ...]]:
        return {
            datetime.fromtimestamp(time, TAIPEI).strftime("%d %H:%M"): bar
            for (_, time), bar in plain(self.builder.minutes).items()
        }

    def test_a_bar(self) -> None:
        self.trade("08:45:00", 100, 1)
        self.trade("08:45:20.5", 103, 3, 2)
        self.trade("08:45:20.7", 98, 4)
        self.trade("08:45:59.999", 101, 5)
        self.trade("08:46:00", 99, 6)
        self.assertEqual(
            self.minutes(), {"30 08:45": (100, 103, 98, 101, 5), "30 08:46": (99, 99, 99, 99, 1)}
        )
        seconds = plain(self.builder.seconds)
        self.assertEqual(seconds["TXFL6", int(at("08:45:20"))], (103, 103, 98, 98, 3))
        self.assertEqual(len(seconds), 4)

    def test_the_last_instant_of_a_session_belongs_to_its_last_minute(self) -> None:
        for code, last, minute in (
            ("TXFL6", "13:45:00", "30 13:44"),
            ("TXFL6", "2026-12-01T05:00:00", "01 04:59"),
            ("2330", "13:30:00", "30 13:29"),
            ("2317", "13:30:00.9", "30 13:29"),
        ):
            self.trade(last, 100, 7, code=code)
            self.assertEqual(list(self.minutes()), [minute])
            ((_, second),) = self.builder.seconds
            self.assertEqual(second, int(at(last)) - 1)
            self.builder.take()
        self.trade("13:30:00", 100, 7, code="TXFX6")
        self.trade("13:31:00", 100, 7, code="2303")
        self.assertEqual(list(self.minutes()), ["30 13:30", "30 13:31"])

    def test_sessions_count_their_volumes_by_themselves(self) -> None:
        self.trade("13:44:59", 100, 90_000)
        self.trade("15:00:00", 101, 4, 4)
        self.trade("15:00:01", 102, 6, 2)
        self.trade("13:44:59.5", 99, 90_001)  # of the session before: late
        self.trade("2026-12-01T08:45:00", 103, 3, 3)
        self.assertEqual(
            {time: bar[-1] for time, bar in self.minutes().items()},
            {"30 13:44": 1, "30 15:00": 6, "01 08:45": 3},
        )

    def test_a_night_goes_on_over_midnight_and_friday_s_is_followed_by_monday(self) -> None:
        self.trade("2026-12-04T23:59:59", 100, 10)
        self.trade("2026-12-05T00:00:01", 100, 12)
        self.trade("2026-12-07T08:45:00", 100, 5, 5)
        self.assertEqual([bar[-1] for bar in self.minutes().values()], [1, 2, 5])
        sessions = [bar.session for bar in self.builder.minutes.values()]
        begun = [at("2026-12-04T15:00"), at("2026-12-04T15:00"), at("2026-12-07T08:45")]
        self.assertEqual(sessions, begun)

    def test_late_and_doubled_ticks_change_nothing(self) -> None:
        self.trade("09:00:01", 100, 10)
        self.trade("09:00:03", 101, 14, 2)  # the one before it is late
        before = self.minutes()
        for when, price, total in (
            ("09:00:02", 500, 12),
            ("09:00:03", 101, 14),
            ("09:01:00", 1, 14),
        ):
            self.assertFalse(self.trade(when, price, total))
        self.assertEqual(self.minutes(), before)
        self.assertEqual(before, {"30 09:00": (100, 101, 100, 101, 5)})

    def test_a_smaller_total_changes_nothing_whatever_its_time(self) -> None:
        self.trade("09:00:01", 100, 1000, 2)
        self.assertFalse(self.trade("09:00:30", 101, 3, 3))
        self.assertTrue(self.trade("09:01:00", 102, 1001, 1))
        self.assertEqual([bar[-1] for bar in self.minutes().values()], [2, 1])

    def test_without_a_total_volumes_are_added_up(self) -> None:
        for _ in range(2):
            self.trade("09:00:01", 100, None, 3)
        self.assertEqual(self.minutes(), {"30 09:00": (100, 100, 100, 100, 6)})

    def test_the_number_of_codes_is_bounded(self) -> None:
        self.builder = builder(most_codes=2)
        self.trade("09:00", 1, 1, code="A")
        self.trade("09:00", 1, 1, code="B")
        with self.assertRaises(TooManyCodesError):
            self.trade("09:00", 1, 1, code="C")
        self.trade("09:00", 1, 2, code="A")

    # -- what was not heard whole

    def partial(self) -> dict[str, bool]:
        return {
            datetime.fromtimestamp(time, TAIPEI).strftime("%H:%M"): bar.partial
            for (_, time), bar in self.builder.minutes.items()
        }

    def test_the_first_minute_is_whole_only_if_nothing_was_traded_before(self) -> None:
        self.trade("09:00:01", 100, 500)
        self.trade("09:01:01", 100, 501)
        self.assertEqual(self.partial(), {"09:00": True, "09:01": False})
        self.builder = builder()
        self.trade("08:45:00", 100, 7, 7)
        self.assertEqual(self.partial(), {"08:45": False})

    def test_after_a_cut_the_minutes_around_it_are_partial(self) -> None:
        self.trade("08:45:00", 100, 1)
        self.trade("08:46:00", 100, 2)
        self.builder.take()
        self.trade("08:46:30", 100, 3)
        self.builder.cut()
        self.trade("08:49:10", 100, 10, 2)
        self.trade("08:50:00", 100, 11)
        self.assertEqual(self.partial(), {"08:46": True, "08:49": True, "08:50": False})
        self.assertEqual(self.builder.doubtful, {("TXFL6", at("08:46"))})
        self.assertEqual(self.minutes()["30 08:49"][-1], 7)

    def test_a_cut_in_which_nothing_was_traded_spoils_no_later_minute(self) -> None:
        self.trade("08:45:00", 100, 1)
        self.builder.cut()
        self.trade("08:49:10", 100, 3, 2)
        self.assertEqual(self.partial(), {"08:45": True, "08:49": False})

    def test_only_codes_that_traded_in_the_last_minute_are_doubtful(self) -> None:
        self.trade("08:45:00", 100, 1, code="TXFL6")
        self.trade("09:10:00", 100, 1, code="MXFL6")
        self.builder.cut()
        self.assertEqual(self.builder.doubtful, {("MXFL6", at("09:10"))})


# -- Streams.

TICKS = st.lists(
    st.tuples(
        st.integers(0, 200),  # tenths of a second since the one before
        st.integers(1, 50),  # price
        st.integers(1, 9),  # volume
    ),
    min_size=1,
    max_size=60,
)


def stream(steps: list[tuple[int, int, int]], begin: str = "08:45") -> list[Tick]:
    time, total, ticks = at(begin), 0.0, []
    for pause, price, volume in steps:
        time += pause / 10
        total += volume
        ticks.append(Tick("TXFL6", time, price, volume, total))
    return ticks


def simply(ticks: list[Tick]) -> dict[tuple[str, int], tuple[float, ...]]:
    """The bars of ticks in order, computed in another way."""
    minutes: dict[tuple[str, int], list[Tick]] = {}
    for tick in ticks:
        minutes.setdefault((tick.code, int(tick.time // 60 * 60)), []).append(tick)
    return {
        key: (
            each[0].price,
            max(tick.price for tick in each),
            min(tick.price for tick in each),
            each[-1].price,
            sum(tick.volume for tick in each),
        )
        for key, each in minutes.items()
    }


class StreamTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=60)
    @given(TICKS)
    def test_bars_are_those_of_a_plain_computation(self, steps: list) -> None:
        ticks, made = stream(steps), builder()
        for tick in ticks:
            made.trade(tick)
        self.assertEqual(plain(made.minutes), simply(ticks))

    @settings(deadline=None, max_examples=60)
    @given(TICKS, st.integers(0, 2**32))
    def test_what_comes_late_or_twice_changes_nothing(self, steps: list, seed: int) -> None:
        ticks, rng = stream(steps), random.Random(seed)
        heard: list[Tick] = []
        made = builder()
        for tick in ticks:
            heard.append(tick)
            made.trade(tick)
            for old in rng.sample(heard, rng.randint(0, min(3, len(heard)))):
                made.trade(old._replace(price=old.price * rng.choice((1, 9))))
        self.assertEqual(plain(made.minutes), simply(ticks))

    @settings(deadline=None, max_examples=60)
    @given(TICKS, st.integers(0, 2**32))
    def test_a_shuffled_stream_makes_the_bars_of_what_raises_the_total(
        self, steps: list, seed: int
    ) -> None:
        ticks = stream(steps)
        random.Random(seed).shuffle(ticks)
        rising, made = [], builder()
        for tick in ticks:
            made.trade(tick)
            before = rising[-1].total if rising else tick.total - tick.volume
            if tick.total > before:
                rising.append(tick._replace(volume=tick.total - before))
        self.assertEqual(plain(made.minutes), simply(rising))

    @settings(deadline=None, max_examples=60)
    @given(TICKS, st.integers(0, 59))
    def test_another_process_goes_on_with_the_same_bars(self, steps: list, place: int) -> None:
        ticks = stream(steps)
        place = min(place, len(ticks))
        first, second = builder(), builder()
        for tick in ticks[:place]:
            first.trade(tick)
        before = first.take()
        second.resume(before.progress)
        second.cut()
        for tick in ticks[max(0, place - 3) :]:  # some come again
            second.trade(tick)
        self.assertEqual(plain(joined(before.minutes, second.minutes)), simply(ticks))

    def test_what_could_not_be_kept_is_given_back(self) -> None:
        made = builder()
        ticks = stream([(1, 5, 1), (1, 9, 2), (700, 3, 1), (1, 4, 1)])
        for tick in ticks:
            made.trade(tick)
            made.give_back(made.take())
        self.assertEqual(plain(made.minutes), simply(ticks))
        self.assertEqual(made.changed, {"TXFL6"})

    def test_bars_are_joined_in_their_order(self) -> None:
        earlier, later = Bar(1, 5, 1, 4, 10, 0), Bar(9, 9, 0, 2, 1, 0, partial=True)
        (bar,) = joined({("A", 0): earlier}, {("A", 0): later}).values()
        self.assertEqual(bar, Bar(1, 9, 0, 2, 11, 0, partial=True))
