"""Readiness of real workers: over two connections, without heartbeats, without the broker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.service import Browser, Service
from tests.ports import free_port

WORKER = """
import os, time, socketio

def client():
    made = socketio.Client(handle_sigint=False, request_timeout=60)
    made.connect(os.environ["GATEWAY_URL"], wait_timeout=60)
    return made

heard = []
main = client()
main.on("broker", lambda told: heard.append(told["connected"]))
main.emit("shioaji_ready", {"status": "ready"})
while True:
    main.emit("market_tick", {"code": "TXFL6", "price": 1})
    second = client()
    second.emit("second", {})
    second.disconnect()
    while heard:
        main.emit("heartbeat", {"shioaji_connected": heard.pop(0)})
    time.sleep(0.02)
"""


class ReadinessTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp()).absolute()
        folder.mkdir(parents=True)
        main = folder / "main.py"
        main.write_text(WORKER)
        self.service = Service(folder, free_port(), f"--main={main}")
        self.addCleanup(self.service.close)
        self.service.until("answer to /health", self.service.answers)
        self.browser = Browser(self.service.url)
        self.addCleanup(self.browser.close)

    def says(self, connected: bool) -> dict[str, Any] | None:
        """What `/status` tells, once it tells that; it is made anew once a second."""
        told = self.service.request("/status")[1]
        return told if told["broker"]["connected"] is connected else None

    def ready(self) -> int:
        return self.service.request("/readyz")[0]

    def test_a_second_connection_may_come_and_go_and_the_broker_may_not(self) -> None:
        self.service.until("readiness", lambda: self.ready() == 200)
        seen = set()
        for _ in range(5):
            self.browser.hears("second")
            seen.update(self.ready() for _ in range(5))
        self.assertEqual(seen, {200})
        for connected, status in ((False, 503), (True, 200)):
            self.browser.emit("broker", {"connected": connected})
            self.service.until("change", lambda status=status: self.ready() == status)
            told = self.service.until("word", lambda connected=connected: self.says(connected))
            self.assertRegex(told["broker"]["since"], r"^20\d\d-.*Z$")
            self.assertIs(told["running"], True)

    def test_why_it_is_not_ready_is_told(self) -> None:
        self.service.until("readiness", lambda: self.ready() == 200)
        self.browser.emit("broker", {"connected": False})
        self.service.until("change", lambda: self.ready() == 503)
        self.assertIn("broker", self.service.request("/readyz")[1]["reason"])


class NoWorkerTests(SynchronousTestCase):
    def test_it_is_ready_while_it_is_up_and_says_when_a_publisher_spoke(self) -> None:
        folder = Path(self.mktemp()).absolute()
        folder.mkdir(parents=True)
        service = Service(folder, free_port(), "--no-worker")
        self.addCleanup(service.close)
        service.until("answer to /health", service.answers)
        status, answer = service.request("/readyz")
        self.assertEqual((status, answer["ready"], answer["publisherSpokeAt"]), (200, True, None))
        publisher = Browser(service.url)
        self.addCleanup(publisher.close)
        publisher.emit("market_tick", {"code": "2330", "price": 1})
        spoke = service.until("word", lambda: service.request("/readyz")[1]["publisherSpokeAt"])
        self.assertRegex(spoke, "^20.*Z$")
