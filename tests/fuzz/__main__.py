"""A long run of one target; see the package."""

import argparse
from time import monotonic

from tests.fuzz.targets import TARGETS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    target = TARGETS[options.target](options.seed)
    end = monotonic() + options.seconds
    while monotonic() < end:
        target.run()
    print(f"{target.runs} inputs, nothing found")


if __name__ == "__main__":
    main()
