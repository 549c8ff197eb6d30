"""A worker that counts as fast as it is told, in bursts, and ends with a long one.

The gateway hears of its end before it has read everything.
"""

import os
import time
from itertools import count
from threading import Thread
from urllib.parse import urlsplit

from tests.interop.raw import RawClient

BURST, LAST, PADDING = 5, 1500, 200
"""Ticks in one segment; and at the end; bytes that are added to each of those."""

client = RawClient(urlsplit(os.environ["GATEWAY_URL"]).port)
# What nobody has read at the end would reset the connection, and the last words with it.
Thread(target=lambda: list(client.texts()), daemon=True).start()
client.emit(("shioaji_ready", {"status": "ready"}))
numbers, pause = count(), BURST / float(os.environ["FEED_RATE"])


def burst(size: int, padding: str = "") -> None:
    tick = {"code": "SEQ", "worker": os.getpid(), "padding": padding}
    client.emit(*[("market_tick", tick | {"number": next(numbers)}) for _ in range(size)])


try:
    while True:
        burst(BURST)
        time.sleep(pause)
except KeyboardInterrupt:
    burst(LAST, "x" * PADDING)
    os._exit(0)
