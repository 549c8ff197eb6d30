"""Which trading day a moment belongs to."""

from datetime import datetime
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.market.hours import TAIPEI, Calendar


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=TAIPEI).timestamp()


class TradingPartTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.calendar = Calendar()

    def part(self, text: str) -> str:
        now = moment(text)
        part = self.calendar.trading_part(now)
        self.assertTrue(part.begins <= now < part.ends, (text, part))
        return str(part)

    def test_the_day_is_from_half_past_five_to_half_past_two(self) -> None:
        self.assertEqual(self.part("2026-11-30 05:30"), "2026-11-30-day")
        self.assertEqual(self.part("2026-11-30 14:29:59.999999"), "2026-11-30-day")

    def test_the_night_belongs_to_the_next_trading_day(self) -> None:
        self.assertEqual(self.part("2026-11-30 14:30"), "2026-12-01-night")
        self.assertEqual(self.part("2026-12-01 00:00"), "2026-12-01-night")
        self.assertEqual(self.part("2026-12-01 05:29:59"), "2026-12-01-night")
        self.assertEqual(self.part("2026-12-01 05:30"), "2026-12-01-day")

    def test_fridays_night_lasts_over_the_weekend_and_is_mondays(self) -> None:
        for text in ("12-04 14:30", "12-05 04:59", "12-05 10:00", "12-06 20:00", "12-07 05:29"):
            self.assertEqual(self.part(f"2026-{text}"), "2026-12-07-night", text)
        self.assertEqual(self.part("2026-12-07 05:30"), "2026-12-07-day")

    def test_the_night_before_a_holiday_is_of_the_day_after_it(self) -> None:
        holidays = Path(self.mktemp())
        holidays.write_text("2026-12-01\n2026-12-02\n")
        self.calendar = Calendar(holidays)
        for text in ("11-30 15:00", "12-01 10:00", "12-02 23:00", "12-03 05:00"):
            self.assertEqual(self.part(f"2026-{text}"), "2026-12-03-night", text)

    def test_a_moment_is_in_its_part_even_if_nothing_ever_trades(self) -> None:
        holidays = Path(self.mktemp())
        days = (
            f"{year}-{month:02}-{day:02}"
            for year in (2026, 2027)
            for month in range(1, 13)
            for day in range(1, 29)
        )
        late = (
            f"{year}-{month:02}-{day}"
            for year in (2026, 2027)
            for month in range(1, 13)
            for day in ((29, 30) if month != 2 else ())
        )
        long = (
            f"{year}-{month:02}-31" for year in (2026, 2027) for month in (1, 3, 5, 7, 8, 10, 12)
        )
        holidays.write_text("\n".join((*days, *late, *long)))
        self.calendar = Calendar(holidays)
        for text in ("2026-11-30 10:00", "2026-11-30 20:00", "2026-12-01 04:00"):
            self.part(text)
