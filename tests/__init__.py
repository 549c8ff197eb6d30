"""Tests, run by trial; `python -m tests` runs all of them.

Only what runs in trial's own processes is measured.  A tracer costs each process that a test
starts up to a second, and may swallow an interrupt of a worker.
"""

import os
import sys
from pathlib import Path

if Path(sys.argv[0]).name == "workertrial.py":  # of `trial -j`, which needs it until then
    os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
