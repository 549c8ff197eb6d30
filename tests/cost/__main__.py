"""`python -m tests.cost [word ...]`: the table, of kinds whose name has one of the words."""

from __future__ import annotations

import os
import sys
from functools import cache

from benchmarks.server import running
from gateway.engineio.packet import OVERHEAD
from tests.cost.inputs import TOKEN, Input, Way, inputs
from tests.cost.measure import Cost, Gateway, fill, measure, plain

MOST = 20
"""Times a plain event of the same size."""


def main(words: list[str]) -> int:
    """Measure; 1 if a kind costs too much."""
    os.environ["SJGATEWAY_VIEW_TOKEN"] = TOKEN.decode()
    os.environ["SJGATEWAY_PUBLISH"] = "any"
    too_much = []
    options = ("--message-rate=0", "--deflate", "--snapshot-quotes", "--max-connections=5000")
    with running(*options) as server:
        gateway = Gateway(server.port, server.pid)
        fill(gateway)

        @cache
        def reference(way: Way, size: int) -> Cost:
            return plain(gateway, Input("", way, True, b"x" * size, 1))

        print(
            "| input | by | token | bytes | CPU us | us/KB | x event | memory/B | x event |\n"
            "|---|---|---|---|---|---|---|---|---|"
        )
        for each in inputs():
            if words and not any(word in each.name for word in words):
                continue
            cost = measure(gateway, each, [each.unit] * each.count)
            cpu = cost.cpu / each.parts / reference(each.way, each.size).cpu
            memory = max(0.0, cost.memory) / each.parts / (each.size + OVERHEAD)
            if cpu > MOST or memory > MOST:
                too_much.append(each.name)
            size = len(each.unit)
            print(
                f"| {each.name} | {each.way.value} | {'after' if each.known else 'before'} "
                f"| {size} | {cost.cpu * 1e6:.0f} | {cost.cpu * 1e9 / size:.0f} | {cpu:.1f} "
                f"| {max(0.0, cost.memory) / size:.1f} | {memory:.1f} |",
                flush=True,
            )
    print(f"\nmore than {MOST} times an event: {', '.join(too_much) or 'none'}")
    return 1 if too_much else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
