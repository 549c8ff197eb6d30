"""A worker that starts threads all the time while its main thread sleeps.

With the argument `sigwait` its main thread blocks SIGINT, which another one waits for.
"""

import os
import signal
import sys
import threading
import time


def swarm():
    while True:
        threading.Thread(target=time.sleep, args=(0.001,), daemon=True).start()
        time.sleep(0.0005)


def wait():
    signal.sigwait([signal.SIGINT])
    os._exit(5)


if sys.argv[1:] == ["sigwait"]:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    threading.Thread(target=wait, daemon=True).start()
else:
    threading.Thread(target=swarm, daemon=True).start()
try:
    print("up", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    os._exit(0)
