"""Gateways in processes of their own, as deployment files start them."""

import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
WORKER = """
import os, time
unwanted = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS"}.intersection(os.environ)
print("worker up", *unwanted, flush=True)
try:
    time.sleep(600)
except KeyboardInterrupt:
    time.sleep(0.3)
    print("logged out", flush=True)
"""


def environment(**more: str) -> dict[str, str]:
    """Ours, without options of the gateway; its package can be imported."""
    ours = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("SJGATEWAY_") or name == "SJGATEWAY_PORTABLE"
    }
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**ours, "PYTHONPATH": str(ROOT), "PATH": path, **more}


def until(condition: Callable[[], object]) -> None:
    """Wait for what another process does; raises AssertionError when it does not."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it does not come")
        time.sleep(0.02)


def healthy(url: str) -> bool:
    """Whether a gateway answers at `url`."""
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=PATIENCE) as answer:
            return answer.status == 200
    except (TimeoutError, urllib.error.URLError, ConnectionError):
        return False
