"""Tells twistd that `twistd sjgateway` is made by `gateway.tap`."""

import gc
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from twisted.application.service import ServiceMaker


class _Maker(ServiceMaker):
    """Says in one line when it can't run here, or another package hides ours.

    twistd looks for packages in its folder first.
    """

    @property
    def options(self) -> Any:
        """The first that is asked for: there are no handlers yet, and signals would end us.

        They are heeded once the reactor runs: a SIGTERM now would leave the worker of a gateway
        before this one.
        """
        _look_at(sys.platform)
        waiting = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)
        signal.pthread_sigmask(signal.SIG_BLOCK, waiting)
        _find()
        gc.disable()  # imports leave little garbage, and looking for it takes an eighth of a start
        try:
            return super().options
        finally:
            gc.enable()

    @property
    def makeService(self) -> Any:
        _find()
        return super().makeService


def _look_at(platform: str) -> None:
    if platform == "win32":
        raise SystemExit(
            "sjgateway: there is no start on Windows itself: use WSL2 or Docker Desktop;"
            " docs/windows.md tells how"
        )


def _find() -> None:
    found = find_spec("gateway")
    places = (found and found.submodule_search_locations) or ()
    if not any((Path(place) / "worker" / "process" / "guardian.py").is_file() for place in places):
        where = (found and found.origin) or next(iter(places), "nowhere")
        raise SystemExit(
            f"sjgateway: another package named gateway hides ours: {where}; start twistd in"
            " another folder, take that one off PYTHONPATH, or rename it"
        )


sjgateway = _Maker(
    "sjgateway",
    "gateway.tap",
    "A Socket.IO gateway that relays events and supervises one worker",
    "sjgateway",
)
