"""The reference worker while there is no gateway, with its own stock client."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.client.connection import Gateway
from gateway.client.console import Redactor
from tests.interop.proxy import Proxy
from tests.interop.service import Browser, started


class AwayTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir(parents=True)
        self.service = started(folder, "--no-worker")
        self.addCleanup(self.service.close)
        self.proxy = Proxy(int(self.service.url.rpartition(":")[2]))
        self.addCleanup(self.proxy.close)
        self.browser = Browser(self.service.url)
        self.addCleanup(self.browser.close)
        self.gateway = Gateway(self.proxy.url, {}, Redactor([]))
        self.addCleanup(self.gateway.close)

    def test_what_happens_meanwhile_is_told_in_order_when_the_gateway_is_back(self) -> None:
        self.gateway.start()
        self.gateway.tell("python_status", {"status": "ready"})
        self.browser.hears("python_status", status="ready")
        self.proxy.pause()
        self.service.until("end of the connection", lambda: not self.gateway.connected)
        self.gateway.complain(ValueError("first"), "test")
        for price in range(500):
            self.gateway.publish("market_tick", {"code": "A", "price": price})
            self.gateway.publish("market_tick", {"code": "B", "price": -price})
        self.gateway.complain(ValueError("second"), "test")
        self.proxy.go_on()
        heard = [self.browser.next() for _ in range(5)]
        told = [(name, data.get("error", data.get("price"))) for name, data in heard]
        self.assertEqual(told[0][0], "python_status")
        errors = [("python_error", "ValueError: first"), ("python_error", "ValueError: second")]
        self.assertEqual(told[1:], [*errors, ("market_tick", 499), ("market_tick", -499)])
