"""Metrics of a cluster."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.metrics.cluster import ClusterMetrics
from tests.ops.metrics.reading import read
from tests.ops.metrics.test_metrics import DOCUMENT, ROW


class ClusterMetricsTests(SynchronousTestCase):
    def test_the_numbers_are_those_of_the_status(self) -> None:
        told = {
            "gateway": "a",
            "worker": "a",
            "members": [
                {"name": "a", "differs": []},
                {"name": "b", "differs": ["--key-field", "--keep-bars"]},
                {"name": "c", "differs": ["--key-field"]},
            ],
            "lease": {"renewed": 1.5},
            "namesake": False,
            "cutOff": None,
            "island": False,
            "waiting": 17,
            "dropped": 3,
            "passedOver": 2,
        }
        metrics = ClusterMetrics(lambda: told)
        self.assertEqual(
            read(metrics),
            {
                "cluster_has_worker": 1,
                "cluster_members": 3,
                "cluster_differing_options": 2,
                "cluster_lease_age_seconds": 1.5,
                "cluster_namesake": 0,
                "cluster_cut_off": 0,
                "cluster_island": 0,
                "cluster_waiting_bytes": 17,
                "cluster_dropped_total": 3,
                "cluster_passed_over_total": 2,
            },
        )
        told.update(worker="b", cutOff="no connection", island=True, namesake=True)
        found = read(metrics)
        names = ("has_worker", "cut_off", "island", "namesake")
        self.assertEqual([found[f"cluster_{name}"] for name in names], [0, 1, 1, 1])
        documented = [name for name, *_ in ROW.findall(DOCUMENT) if name.startswith("cluster_")]
        self.assertEqual(sorted(documented), sorted(found))
        for lease in ({"renewed": None}, None):  # it was not seen yet; with `--no-worker`
            told.update(lease=lease)
            self.assertNotIn("cluster_lease_age_seconds", read(metrics))
