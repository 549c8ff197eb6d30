"""A worker of which the broker's refusal is heard late.

`settling`: it is busy until the file `go` is there, says it, and works on.  `leaving`: a child of
it says it when the worker is gone, and stays until `go` is there.
"""

import os
import signal
import sys
import time
from pathlib import Path

from journal import note

BAN = "StatusCode: 503, Detail: login is banned"
GO = Path("go")


def refuse():
    print(BAN, file=sys.stderr, flush=True)


def settling():
    while not GO.exists():
        pass
    refuse()
    time.sleep(600)


def leaving():
    if os.fork() == 0:
        os.setsid()  # it is ended when the worker is gone
        signal.signal(signal.SIGTERM, lambda *_: refuse())
        while not GO.exists():
            time.sleep(0.01)
        os._exit(0)
    note("ready")
    time.sleep(600)


note("start")
globals()[sys.argv[1]]()
