"""The gateway says which build runs."""

from twisted.trial.unittest import SynchronousTestCase

from gateway import __version__
from gateway.app import build
from gateway.ops.metrics.gateway import BuildMetrics


class BuildTests(SynchronousTestCase):
    def test_sources_are_pure_python(self) -> None:
        self.patch(build.hub, "__file__", "/venv/gateway/relay/hub.py")
        self.assertEqual(build.version(), f"sjgateway {__version__}, pure Python")

    def test_an_extension_is_compiled(self) -> None:
        self.patch(build.hub, "__file__", "/venv/gateway/relay/hub.cpython-311.so")
        self.assertEqual(build.version(), f"sjgateway {__version__}, compiled")

    def test_the_metrics_name_it(self) -> None:
        (metric,) = BuildMetrics("1.2.3", "compiled").collect()
        self.assertEqual(metric.name, "sjgateway_build_info")
        self.assertEqual(metric.samples[0].labels, {"version": "1.2.3", "build": "compiled"})
