"""`/metrics` answers whatever can't be read."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from twisted.trial.unittest import SynchronousTestCase

from gateway.app.collectors import TolerantCollector
from gateway.ops.metrics.families import gauge


class Failing:
    """Tells one figure, and fails at the next."""

    def collect(self):
        yield gauge("first", "It can be read", 1.0)
        raise OSError(24, "Too many open files")


class Whole:
    """Tells what it has."""

    def collect(self):
        yield gauge("other", "It can be read, too", 2.0)


class ForgivingTests(SynchronousTestCase):
    def test_one_that_fails_costs_no_other_figure(self) -> None:
        registry = CollectorRegistry()
        for collector in (Failing(), Whole()):
            registry.register(TolerantCollector(collector))
        text = generate_latest(registry).decode()
        self.assertIn("first 1.0", text)
        self.assertIn("other 2.0", text)
