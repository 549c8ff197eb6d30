"""The packages that a worker needs, looked for before they are imported."""

from __future__ import annotations

import importlib.util
import sys


def require() -> None:
    """End the process with one line and status 3 where python-socketio can't connect.

    `requests` and `websocket` are what its client imports when it connects.
    """
    for name in ("socketio", "requests", "websocket"):
        if importlib.util.find_spec(name) is None:
            hint = f'{sys.executable} -m pip install "python-socketio[client]"'
            sys.stderr.write(f"No module named {name!r}: {hint}\n")
            raise SystemExit(3)
