"""A short run of each target, with the same inputs every time."""

import gc
import tracemalloc
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.fuzz.targets import TARGETS
from tests.untraced import untraced

RUNS = 200
MAY_GROW = 100_000
"""Bytes: caches fill up, lists get their size."""


class FuzzTests(SynchronousTestCase):
    @untraced
    def fuzz(self, name: str) -> Any:
        """No exception escapes, and no memory is kept."""
        target = TARGETS[name](seed=1)
        for _ in range(RUNS):
            target.run()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        sizes = []
        for _ in range(2):
            for _ in range(RUNS // 2):
                target.run()
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
        self.assertLess(sizes[1] - sizes[0], MAY_GROW, sizes)
        return target

    def test_http(self) -> None:
        self.fuzz("http")

    def test_websocket(self) -> None:
        self.fuzz("websocket")

    def test_payload(self) -> None:
        self.fuzz("payload")

    def test_packet(self) -> None:
        self.assertGreater(self.fuzz("packet").relayed, RUNS / 10)

    def test_bars(self) -> None:
        self.assertGreater(self.fuzz("bars").answered, 0)
