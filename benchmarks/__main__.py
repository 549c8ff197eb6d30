"""`python -m benchmarks [scenario ...]`: measure a gateway and print a table."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version

from benchmarks.client import raise_descriptor_limit
from benchmarks.scenarios import HEADINGS, SCENARIOS


def main(names: list[str]) -> int:
    """Run the scenarios named, or all of them."""
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
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
