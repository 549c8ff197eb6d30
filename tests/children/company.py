"""A worker with two children that need so many seconds to log out, and end then.

One has a session of its own and waits for SIGTERM, the other is of the worker's group and
waits for SIGINT.  The worker itself ends at once.
"""

import os
import signal
import sys
import time

from journal import note


def child(name, number):
    def end(*_):
        time.sleep(float(sys.argv[1]))
        note(f"{name}-out")
        os._exit(0)

    if os.fork() == 0:
        if name == "apart":
            os.setsid()
            signal.signal(signal.SIGINT, lambda *_: note("wrong"))
        else:
            signal.signal(signal.SIGTERM, lambda *_: note("wrong"))
        signal.signal(number, end)
        note(name)
        while True:
            time.sleep(60)


child("apart", signal.SIGTERM)
child("beside", signal.SIGINT)
try:
    note("start")
    time.sleep(600)
except KeyboardInterrupt:
    os._exit(0)
