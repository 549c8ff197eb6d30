"""A worker as most are: it works until SIGINT, and logs out.

Appends what it does to the file named by JOURNAL: `start PID`, `finally PID`.
"""

import os
import sys
import time


def note(word):
    journal = os.environ.get("JOURNAL")
    if journal:
        descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{word} {os.getpid()}\n".encode())
        os.close(descriptor)


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
