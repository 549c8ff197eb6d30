"""A worker to which so many interrupts get lost."""

import signal
import sys
import time

from journal import note

lost = int(sys.argv[1])


def interrupted(number, frame):
    global lost  # noqa: PLW0603 - a script
    lost -= 1
    if lost < 0:
        raise KeyboardInterrupt


signal.signal(signal.SIGINT, interrupted)
try:
    note("start")
    time.sleep(600)
except KeyboardInterrupt:
    pass
finally:
    note("finally")
