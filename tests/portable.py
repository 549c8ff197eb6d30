"""Tests of the worker, of listening and of deployment as on macOS: `python -m tests.portable`.

SJGATEWAY_PORTABLE=1 makes gateways and tests do with what every POSIX system has.  Tests of what is
promised on Linux alone are marked `linux_only` (`tests/system/this.py`), and are skipped by name.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
JOBS = min(4, (os.cpu_count() or 1) + 1)
PARTS = (
    "tests.app.test_process",
    "tests.app.test_worker_sessions",
    "tests.deploy",
    "tests.interop.test_listening",
    "tests.interop.test_readiness",
    "tests.interop.test_workers",
    "tests.ops.logs.test_stream",
    "tests.system",
    "tests.web.http",
    "tests.worker.process",
    "tests.worker.test_adoption",
    "tests.worker.test_orphans",
    "tests.worker.test_real_ends",
    "tests.worker.test_real_pauses",
)
"""Those with real processes, connections or signals; what is in memory is the same anywhere."""


def main() -> int:
    return subprocess.run(
        [sys.executable, "-m", "twisted.trial", f"-j{JOBS}", *PARTS],
        cwd=ROOT,
        env={**os.environ, "SJGATEWAY_PORTABLE": "1"},
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
