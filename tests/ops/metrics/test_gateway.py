import os
import subprocess
import sys
from collections import Counter

import psutil
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.metrics.gateway import ProcessMetrics, WebMetrics
from gateway.web.http.counting import Caps
from tests.ops.metrics.reading import read

CPU, MEMORY = 'cpu_seconds_total{process="%s"}', 'memory_bytes{process="%s"}'


class ProcessMetricsTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.pids = {"gateway": os.getpid(), "worker": None}
        self.metrics = ProcessMetrics(lambda: dict(self.pids), self.clock.seconds)
        self.measured = []
        self.process = psutil.Process
        self.patch(psutil, "Process", self.look)

    def look(self, pid):
        self.measured.append(pid)
        return self.process(pid)

    def child(self):
        script = "import sys; print(flush=True); sys.stdin.read()"
        child = subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.addCleanup(child.communicate)
        child.stdout.readline()  # it is what it will be
        return child

    def test_what_the_kernel_says(self):
        child = self.child()
        self.pids["worker"] = child.pid
        before = self.process().cpu_times()
        found = read(self.metrics)
        after = self.process().cpu_times()
        self.assertLessEqual(before.user + before.system, found[CPU % "gateway"])
        self.assertGreaterEqual(after.user + after.system, found[CPU % "gateway"])
        self.assertGreater(found[MEMORY % "gateway"], 1 << 20)
        self.assertGreater(found[MEMORY % "worker"], 1 << 20)

    def test_no_worker(self):
        self.assertEqual(set(read(self.metrics)), {CPU % "gateway", MEMORY % "gateway"})

    def test_a_process_that_is_gone(self):
        child = self.child()
        child.communicate()
        self.pids["worker"] = child.pid
        self.assertEqual(set(read(self.metrics)), {CPU % "gateway", MEMORY % "gateway"})

    def test_it_is_measured_every_five_seconds_at_most_but_a_new_worker_at_once(self):
        for seconds, times in ((0, 1), (4.9, 1), (0.1, 2), (1, 2)):
            self.clock.advance(seconds)
            read(self.metrics)
            self.assertEqual(len(self.measured), times)
        self.pids["worker"] = os.getppid()
        self.assertIn(MEMORY % "worker", read(self.metrics))
        self.pids["worker"] = None
        self.assertNotIn(MEMORY % "worker", read(self.metrics))


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
