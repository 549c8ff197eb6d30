"""A worker that is logged in from `in` to `out`; logging out takes so many seconds.

Instead of a number: the name of a file, beside its journal, for which it waits then.
"""

import os
import sys
import time
from pathlib import Path

from journal import note


def log_out(how):
    note("going")
    if how.replace(".", "").isdigit():
        time.sleep(float(how))
        return
    while not Path(os.environ["JOURNAL"]).with_name(how).exists():
        time.sleep(0.01)


try:
    note("in")
    time.sleep(600)
except KeyboardInterrupt:
    log_out(sys.argv[1])
finally:
    note("out")
