"""A worker that counts as fast as it is told, in bursts, and ends with a long one.

The gateway hears of its end before it has read everything.
"""

import os
import signal
import time
from itertools import count
from threading import Event, Thread
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


asked = Event()
# No exception: it could cut a burst in two.
signal.signal(signal.SIGINT, lambda *_: asked.set())
while not asked.is_set():
    burst(BURST)
    time.sleep(pause)
burst(LAST, "x" * PADDING)
os._exit(0)
