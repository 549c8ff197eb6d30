"""A worker that ignores SIGINT, and SIGTERM when its argument is `both`."""

import signal
import sys
import time

from journal import note

signal.signal(signal.SIGINT, signal.SIG_IGN)
if sys.argv[1:] == ["both"]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
note("start")
while True:
    time.sleep(60)
