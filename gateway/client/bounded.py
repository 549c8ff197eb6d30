"""Work that may take no longer than it should."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from gateway.client.console import log

if TYPE_CHECKING:
    from collections.abc import Callable


def bounded(what: str, work: Callable[[], object], seconds: float) -> bool:
    """Whether `work` ended well in time; on a thread, since native calls take no signals."""
    well = threading.Event()

    def run() -> None:
        try:
            work()
            well.set()
        except Exception as error:
            log.error("%s failed: %s: %s", what, type(error).__name__, error)

    thread = threading.Thread(target=run, name=what, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        log.error("%s did not end within %g s", what, seconds)
    return well.is_set()
