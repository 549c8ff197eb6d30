"""A worker that is busy starting for some seconds, and then works until SIGINT."""

import sys
import time

from journal import note

until = time.monotonic() + float(sys.argv[1])
while time.monotonic() < until:
    sum(range(1000))
try:
    note("start")
    time.sleep(600)
except KeyboardInterrupt:
    pass
finally:
    note("finally")
