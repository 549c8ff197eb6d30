"""Who joins around the end of a worker: what is missing, what comes twice."""

import itertools
import random
import tempfile
import time
from pathlib import Path
from threading import Thread

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.raw import RawClient
from tests.interop.service import ROOT, Service
from tests.ports import free_port

RATE, ENDS = 500, 3
HEARD = 8
"""Ticks after which a joiner has seen enough."""


class JoinTests(SynchronousTestCase):
    """A worker is restarted again and again while clients join at any moment."""

    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir(parents=True)
        self.port = free_port()
        self.service = Service(
            Path(tempfile.mkdtemp(dir=folder)),
            self.port,
            f"--main={ROOT / 'tests' / 'children' / 'feed.py'}",
            FEED_RATE=str(RATE),
        )
        self.addCleanup(self.service.close)
        self.service.until("answer", self.service.answers)
        self.service.until("worker", lambda: self.service.request("/readyz")[0] == 200)

    def listen(self, heard: list[tuple[int, int]]) -> None:
        """A steady client: every tick until the test is over."""
        client = RawClient(self.port)
        for name, value in client.events():
            if name == "market_tick":
                heard.append((value["worker"], value["number"]))
            elif name == "over":
                client.close()
                return

    def joins_around_an_end(self) -> list[RawClient]:
        """Clients that joined one after the other while a worker ended, and then the next began."""
        end = Thread(target=self.replace)
        end.start()
        clients = []
        while end.is_alive():
            clients.append(RawClient(self.port, snapshot=True, events=["market_tick"]))
            time.sleep(random.uniform(0, 0.004))
        end.join()
        return clients

    def replace(self) -> None:
        for path in ("/stop-python", "/restart-python"):
            self.service.request(path, {})

    def test_nothing_is_missed_and_nothing_comes_twice(self) -> None:
        heard: list[tuple[int, int]] = []
        steady = Thread(target=self.listen, args=(heard,))
        steady.start()
        joins: list[list[tuple[int, int]]] = []
        for number in range(ENDS):
            self.service.until("next worker", lambda n=number: len({w for w, _ in heard}) > n)
            for client in self.joins_around_an_end():
                ticks = itertools.islice(client.events(), HEARD)
                joins.append([(tick["worker"], tick["number"]) for _, tick in ticks])
                client.close()
        RawClient(self.port).emit(("over", {}))
        steady.join()
        places = {tick: place for place, tick in enumerate(heard)}
        self.assertEqual(len(places), len(heard), "a tick came twice")
        for join in joins:
            place = places[join[0]]
            self.assertEqual(join, heard[place : place + HEARD])
