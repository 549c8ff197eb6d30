"""`python -m gateway tail`, `... recordings`, `... export`: see `gateway.cli`."""

from __future__ import annotations

import sys

from gateway.cli.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
