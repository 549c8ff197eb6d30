"""The demonstration feed by itself: `python -m gateway.client`."""

import sys

from gateway.client.needs import require

require()

from gateway.client.rule import Rule  # noqa: E402
from gateway.client.run import run  # noqa: E402

if __name__ == "__main__":
    sys.exit(run(Rule(), ["--demo", *sys.argv[1:]]))
