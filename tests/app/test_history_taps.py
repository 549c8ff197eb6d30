"""Which parts hear the relay's events for recordings, and whom they tell."""

from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.app.history_taps import HistoryTaps
from gateway.market.hours import Calendar
from gateway.ops.alerts.alerts import Alerts, AlertSettings
from gateway.options import Settings
from tests.relay.world import RelayWorld


class FakeReactor(Clock):
    def callFromThread(self, function: Any, *args: Any) -> None:
        raise AssertionError("nothing runs before the start")


class RecordingTests(SynchronousTestCase):
    def make(self, **options: Any) -> HistoryTaps:
        self.world = RelayWorld()
        reactor = FakeReactor()
        self.alerts = Alerts(reactor, self.world.deadlines, AlertSettings(), port=int)
        settings = Settings(keep_bars=0, **options)
        return HistoryTaps(settings, Calendar(), reactor, self.world.relay, self.alerts)

    def test_a_recording_hears_the_log_and_tells_alerts(self) -> None:
        folder = Path(self.mktemp())
        made = self.make(record=folder, record_days=3, record_size=5)
        assert made.recording is not None
        self.assertEqual(self.world.hub.log.taps, [made.recording.tap.collect])
        self.assertEqual(made.recording.listeners, [self.alerts.recording])
        self.assertEqual(
            [service.name for service in made.services()],
            ["Handing events to the recording", "Looking at the recording", "the recording"],
        )
        self.assertFalse(folder.exists())

    def test_nothing_is_recorded_without_a_folder_or_in_a_demonstration(self) -> None:
        for options in ({}, {"record": Path(self.mktemp()), "demo": True}):
            made = self.make(**options)
            self.assertIsNone(made.recording)
            self.assertEqual(self.world.hub.log.taps, [])
            self.assertEqual(len(list(made.services())), len(options) // 2)

    def test_a_recording_is_told_what_was_missed_but_not_what_a_log_has_lost(self) -> None:
        made = self.make(record=Path(self.mktemp()))
        assert made.recording is not None
        told: list[int] = []
        self.patch(made.recording, "missed", lambda events, _: told.append(events))
        for events in (3, 0, -10):  # the last: a log that came back with fewer places
            made.missed(events)
        self.assertEqual(told, [3])
