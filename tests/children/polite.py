"""A worker as most are: it works until SIGINT, and logs out."""

import sys
import time

from journal import note

try:
    note("start")
    print("up")
    while True:
        time.sleep(60)
except KeyboardInterrupt:
    pass
finally:
    note("finally")
    print("logged out", file=sys.stderr)
