from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.metrics.gateway import WebMetrics
from gateway.web.http.counting import Caps
from tests.ops.metrics.reading import read


class WebMetricsTests(SynchronousTestCase):
    def test_connections_and_refusals(self):
        caps, requests = Caps(total=2, per_address=1), Counter({403: 2, 401: 1})
        metrics = WebMetrics(caps, requests, lambda: 4)
        for host in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
            caps.opened(host)
        caps.closed("192.0.2.1")
        self.assertEqual(
            read(metrics),
            {
                "connections": 2,
                "refused_connections_total": 2,
                'refused_requests_total{status="403"}': 2,
                'refused_requests_total{status="401"}': 1,
                "refused_clients_total": 4,
            },
        )
