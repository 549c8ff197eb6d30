"""A worker that may never be logged in beside another one; some end only by SIGKILL.

CHAOS is a folder: the lock `account` is held from login to end, and `journal` has what happened.
"""

import fcntl
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

FOLDER = Path(os.environ["CHAOS"])
STUBBORN = 0.3
"""The share of those that ignore SIGINT and SIGTERM."""


def note(what):
    line = json.dumps({"what": what, "pid": os.getpid(), "time": time.time()}) + "\n"
    with (FOLDER / "journal").open("a") as file:
        file.write(line)


if random.random() < STUBBORN:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
account = os.open(FOLDER / "account", os.O_RDWR | os.O_CREAT)
try:
    fcntl.flock(account, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    note("double")
    sys.exit(1)
note("login")
try:
    while True:
        time.sleep(60)
except KeyboardInterrupt:
    time.sleep(0.3)
    note("logout")
