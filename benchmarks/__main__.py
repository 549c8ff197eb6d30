"""`python -m benchmarks [--peer] [scenario ...]`: measure a gateway and print a table.

`--peer`: also measure a relay on Node.js in those scenarios that it can do, in turns.
"""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version

from benchmarks.client import raise_descriptor_limit
from benchmarks.scenarios import COMPARED, HEADINGS, SCENARIOS
from benchmarks.server import node


def main(names: list[str]) -> int:
    """Run the scenarios named, or all of them."""
    has_peer, names = "--peer" in names, [name for name in names if name != "--peer"]
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
        return 1
    raise_descriptor_limit()
    print(
        f"Python {platform.python_version()}, Twisted {version('twisted')}, "
        f"Autobahn {version('autobahn')}, {platform.system()} {platform.machine()}\n"
    )
    print("| " + " | ".join(HEADINGS) + " |")
    print("|---" * len(HEADINGS) + "|")
    for name in names or SCENARIOS:
        print("| " + " | ".join(SCENARIOS[name]()) + " |", flush=True)
        if has_peer and name in COMPARED:
            print("| " + " | ".join(COMPARED[name](node)) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
