"""A worker in a native login: for so many seconds no signal reaches Python.

Meanwhile a double-forked daemon and a grandchild that holds stdout live beside it.
"""

import ctypes
import os
import subprocess
import sys
import time

from journal import note


class Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


def block(seconds):
    """Wait for a lock that is taken: no signal interrupts that."""
    libc = ctypes.CDLL(None)
    mutex = ctypes.create_string_buffer(64)  # zeros: PTHREAD_MUTEX_INITIALIZER
    until = time.time() + seconds
    libc.pthread_mutex_lock(mutex)
    libc.pthread_mutex_timedlock(mutex, ctypes.byref(Timespec(int(until), int(until % 1 * 1e9))))


def daemonize():
    """A process of a session of its own, whose parent is gone."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            note("daemon")
            time.sleep(600)
        os._exit(0)
    os.wait()


try:
    holder = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    daemonize()
    note("start")
    print(f"holder {holder.pid}")
    block(float(sys.argv[1]))
    time.sleep(600)
except KeyboardInterrupt:
    pass
finally:
    note("finally")
