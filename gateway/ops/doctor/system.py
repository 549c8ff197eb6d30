"""The operating system: what is promised on it, and what that needs."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from gateway.ops.doctor.finding import Finding, fail, ok, warn
from gateway.worker.process.guarding.portable_tree import PATH, PS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.system.system import System


def check_system(system: System) -> Iterator[Finding]:
    """What is promised less than on Linux, and whether there is ps, by which a worker is ended."""
    if not system.less:
        yield ok("system", "Linux, with all that is promised")
        return
    yield warn(
        "system",
        f"what every POSIX system has is used: {'; '.join(system.less)}",
        "all is promised on Linux without --portable; docs/systems.md says more",
    )
    if shutil.which(PS[0], path=PATH) is None:
        yield fail("system", f"there is no {PS[0]} in {PATH}", "install it, as the package procps")
