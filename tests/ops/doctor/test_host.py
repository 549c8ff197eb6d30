"""Faults of the machine."""

import resource
from zoneinfo import ZoneInfo

from gateway.worker.calendar import schedule
from tests.ops.doctor.world import DoctorTestCase


class ClockTests(DoctorTestCase):
    def test_the_time_in_taipei_is_said(self) -> None:
        self.now = 1_800_000_000.0  # 2027-01-15 08:00 UTC
        line = self.found("clock")
        self.assertEqual((line.level, line.what), ("ok", "it is 2027-01-15 16:00 in Taipei"))

    def test_a_clock_that_was_never_set(self) -> None:
        self.now = 1000.0
        self.assert_found(self.found("clock"), "fail", "1970-01-01", "set-ntp true")

    def test_no_time_zones(self) -> None:
        def missing(name: str) -> ZoneInfo:
            raise KeyError(name)

        self.patch(schedule, "ZoneInfo", missing)
        self.assert_found(self.found("clock"), "fail", "Asia/Taipei", "tzdata")

    def test_a_schedule_or_hours_that_make_no_sense(self) -> None:
        for settings in ({"schedule": ("every day",)}, {"sessions": ("always",)}):
            line = self.found("clock", **settings)
            self.assert_found(line, "fail", next(iter(settings.values()))[0], "--schedule")


class LimitTests(DoctorTestCase):
    def test_fewer_files_than_clients(self) -> None:
        self.patch(resource, "getrlimit", lambda _: (1024, 4096))
        line = self.found("descriptors", max_connections=10000)
        self.assert_found(line, "warn", "4096 files", "LimitNOFILE=10200")
        self.assertEqual(self.found("descriptors", max_connections=3000).level, "ok")

    def test_no_limit(self) -> None:
        self.patch(resource, "getrlimit", lambda _: (1024, resource.RLIM_INFINITY))
        self.assertIn("any number", self.found("descriptors", max_connections=10**6).what)


class EnvironmentTests(DoctorTestCase):
    def test_a_misspelt_variable(self) -> None:
        self.environ["SJGATEWAY_PROT"] = "3001"
        line = self.found("environment")
        self.assert_found(line, "warn", "SJGATEWAY_PROT", "perhaps SJGATEWAY_PORT")

    def test_a_variable_like_no_other(self) -> None:
        self.environ["SJGATEWAY_"] = "the-secret"
        self.assert_found(self.found("environment"), "warn", "SJGATEWAY_", "--help")

    def test_those_that_count_are_listed_without_their_values(self) -> None:
        self.environ |= {"SJGATEWAY_TOKEN": "the-secret", "PORT": "3001", "SJGATEWAY_ECHO": ""}
        line = self.found("environment")
        self.assertEqual(line.level, "ok")
        self.assertTrue(line.what.endswith(": PORT, SJGATEWAY_TOKEN"), line.what)
