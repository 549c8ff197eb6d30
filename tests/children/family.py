"""A worker with so many children, each of which ignores SIGINT and SIGTERM.

With a second argument `leave` it leaves them behind, exit code 0.
"""

import os
import signal
import sys
import time

from journal import note

for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        note("child")
        time.sleep(600)
        os._exit(0)
note("start")
if sys.argv[2:] != ["leave"]:
    time.sleep(600)
