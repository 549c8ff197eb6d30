"""The system as tests have it: as a gateway chooses it in this environment."""

from __future__ import annotations

import os
from typing import Any

from gateway.system.linux import Linux
from gateway.system.system import this_system

SYSTEM = this_system(portable=os.environ.get("SJGATEWAY_PORTABLE") == "1")


def linux_only(what: Any) -> Any:
    """Skip a test, or a class of them, where another system is forced: it shows Linux' promises."""
    if not isinstance(SYSTEM, Linux):
        what.skip = "promised on Linux only"
    return what
