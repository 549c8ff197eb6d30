"""A worker that ends by itself: an exit code, or `-N` for signal N.

After so many seconds, or once there is a file of that name beside its journal, which it removes.
"""

import os
import sys
import time
from pathlib import Path

from journal import note

note("start")
print("the last words", file=sys.stderr)
when = sys.argv[2] if len(sys.argv) > 2 else "0"
if when.replace(".", "").isdigit():
    time.sleep(float(when))
else:
    go = Path(os.environ["JOURNAL"]).with_name(when)
    while not go.exists():
        time.sleep(0.01)
    go.unlink()
how = int(sys.argv[1])
if how < 0:
    os.kill(os.getpid(), -how)
sys.exit(how)
