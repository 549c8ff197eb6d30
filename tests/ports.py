"""Ports for processes that a test starts."""

import itertools
import os
import socket
from collections import deque

FIRST, LAST = 10_000, 32_767
"""Below those that the kernel gives to whoever asks for any: nobody gets one of these by chance."""
BLOCK = 379
"""Processes whose numbers differ by one begin so far apart."""
_ports = itertools.count(os.getpid() * BLOCK)
_given: deque[socket.socket] = deque(maxlen=64)
"""Holds the numbers that were given last, by UDP, until those who asked listen by TCP: another
process of tests that comes upon one of them takes the next."""


def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    for number in _ports:
        port = FIRST + number % (LAST - FIRST)
        mark = socket.socket(type=socket.SOCK_DGRAM)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
                mark.bind(("127.0.0.1", port))
            except OSError:
                mark.close()
                continue
        _given.append(mark)
        return port
    raise AssertionError("there is always another number")
