"""Ports for processes that a test starts."""

import itertools
import os
import socket

FIRST, LAST = 10_000, 32_767
"""Below those that the kernel gives to whoever asks for any: nobody gets one of these by chance."""
BLOCK = 379
"""Processes whose numbers differ by one begin so far apart."""
_ports = itertools.count(os.getpid() * BLOCK)


def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    for number in _ports:
        port = FIRST + number % (LAST - FIRST)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("there is always another number")
