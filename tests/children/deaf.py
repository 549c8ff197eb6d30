"""A worker to which so many interrupts get lost."""

import sys
import time

from journal import note

lost = int(sys.argv[1])
try:
    note("start")
    while True:
        try:
            time.sleep(600)
        except KeyboardInterrupt:
            lost -= 1
            if lost < 0:
                break
finally:
    note("finally")
