"""A worker that ends by itself: an exit code, or `-N` for signal N; after some seconds."""

import os
import sys
import time

from journal import note

note("start")
print("the last words", file=sys.stderr)
time.sleep(float(sys.argv[2]) if len(sys.argv) > 2 else 0)
how = int(sys.argv[1])
if how < 0:
    os.kill(os.getpid(), -how)
sys.exit(how)
