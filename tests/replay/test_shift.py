"""Which bytes of an event are times, and how they move."""

from twisted.trial.unittest import SynchronousTestCase

from gateway.replay.shift import shifted


class ShiftTests(SynchronousTestCase):
    def test_times_move_in_their_own_form(self) -> None:
        for before, after in (
            ("2026-11-30T08:59:59.123456+08:00", "2026-12-01T09:00:09.623456+08:00"),
            ("2026-11-30T08:59:59+08:00", "2026-12-01T09:00:09+08:00"),
            ("2026-11-30T08:59:59.5Z", "2026-12-01T09:00:10.0Z"),
            ("2026/11/30 08:59:59.123", "2026/12/01 09:00:09.623"),
            ("2026-11-30T08:59:59.123456789", "2026-12-01T09:00:09.623456000"),
        ):
            moved = shifted(b'["a",{"datetime": "%b"}]' % before.encode(), 86410.5)
            self.assertEqual(moved, b'["a",{"datetime": "%b"}]' % after.encode())

    def test_all_else_stays_byte_for_byte(self) -> None:
        for payload in (
            b'["market_contract",{"delivery_date":"2026-12-16","code":"TXFL6"}]',
            b'["a", {"x" :1.50, "t":1796002200.123456, "s":"at 2026-11-30T08:59:59 sharp"}]',
            b'["a",{"n":1796002200123456789}]',
            b'["a",{"datetime":"2026-13-30T08:59:59"}]',
            b'["a",{"datetime":"9999-12-31T23:59:59"}]',
        ):
            self.assertEqual(shifted(payload, 86410.5), payload)

    def test_bars_of_the_broker_stay_on_whole_minutes(self) -> None:
        end = 1796029260 * 10**9
        row = '"Open":[1],"High":[1],"Low":[1],"Close":[1],"Volume":[1]'
        for separator in ("", " "):
            text = f'["market_kbars",{{"code":"A","ts":[{separator}{end}],{row}}}]'
            moved = shifted(text.encode(), 86399.0)
            self.assertIn(b"[%b%d]" % (separator.encode(), end + 86400 * 10**9), moved)
