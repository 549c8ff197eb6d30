from twisted.trial.unittest import SynchronousTestCase

from gateway.common.times import iso


class TimesTests(SynchronousTestCase):
    def test_timestamps_are_as_javascript_writes_them(self) -> None:
        self.assertEqual(iso(1708875000.1239), "2024-02-25T15:30:00.123Z")
        self.assertEqual(iso(1708875000), "2024-02-25T15:30:00.000Z")
        self.assertEqual(iso(1708875000.9999999), "2024-02-25T15:30:01.000Z")
        self.assertEqual(iso(0.25), "1970-01-01T00:00:00.250Z")
