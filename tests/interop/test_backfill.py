"""The day's bars of the broker, through the reference worker and a real gateway, into `/bars`."""

import time

from tests.interop.service import ROOT, Service
from tests.interop.test_workers import KEYS, WorkersCase

CODES = ("TXFR1", "2330")


class BackfillTests(WorkersCase):
    def start(self, shioaji: str, kbars: str) -> Service:
        self.began = int(time.time())
        given = {"SJ_CODES": ",".join(CODES), "STAND_IN_KBARS": kbars, **KEYS}
        return self.run_service(f"--main={ROOT / 'main.py'}", shioaji=shioaji, **given)

    def bars(self, service: Service, code: str) -> dict[str, list[float]]:
        """The bars of the last minutes; the stand-in's ticks are of another day."""
        begin = self.began // 60 * 60 - 120
        status, answer = service.request(f"/bars?code={code}&from={begin}")
        self.assertEqual((status, answer.get("partial")), (200, []), answer)
        return answer["bars"]

    def asked(self, service: Service, number: int) -> None:
        """Wait until the broker was asked for bars so often."""
        service.until(f"query {number}", lambda: len(service.journal("kbars")) >= number)

    def test_what_the_gateway_lacks_is_filled_in_once_from_1_2(self) -> None:
        self.check_filling_in("1_2", "0")

    def test_what_the_gateway_lacks_is_filled_in_once_from_a_slow_1_7(self) -> None:
        self.check_filling_in("1_7", "0.5")

    def check_filling_in(self, shioaji: str, kbars: str) -> None:
        service = self.start(shioaji, kbars)
        self.asked(service, 2)
        service.until("bars of 2330", lambda: self.bars(service, "2330")["time"])
        self.assertEqual(service.request("/restart-python", {})[0], 200)
        self.asked(service, 4)
        # At its end the worker sends all that it has said.
        self.assertEqual(service.request("/stop-python", {})[0], 200)
        there = {code: self.bars(service, code) for code in ("TXFR1", "TXFL6", "2330")}
        self.assertEqual(there["TXFR1"], there["TXFL6"])
        for bars in there.values():
            self.assertEqual(set(bars["volume"]), {7})
            self.assertGreaterEqual(len(bars["time"]), 1)
            self.assertLessEqual(bars["time"][-1] + 60, time.time(), "a minute that is not over")
        filled = service.request("/status")[1]["bars"]["filled"]
        self.assertEqual(filled, len(there["TXFL6"]["time"]) + len(there["2330"]["time"]))
        self.assertNotIn("Traceback", service.log)

    def test_a_broker_without_an_answer_costs_only_the_bars(self) -> None:
        service = self.start("1_7", "raise")
        browser = self.browser(service)
        self.asked(service, 2)
        browser.hears("market_tick", code="2330")
        self.assertEqual(self.bars(service, "2330")["time"], [])
        self.assertIs(service.request("/health")[1]["pythonRunning"], True)
        self.assertIn("bars of TXFR1: TimeoutError", service.log)
