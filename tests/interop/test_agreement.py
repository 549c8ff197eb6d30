"""What pages show is what the gateway has: the same bars on all of them, and nothing forged."""

import re
import shutil
import tempfile
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, TimeoutError, expect

from gateway.market.hours import TAIPEI, Calendar
from tests.interop.browser import require_chromium
from tests.interop.service import Browser, Service, started
from tests.interop.test_page import MAIN, PageCase, gateway
from tests.ports import free_port

CODE = "TXFR1"
SHOWS = """(wanted) => {
  document.getElementById("as-table").click();
  const rows = [...document.querySelectorAll("#bars-body tr")].map((row) =>
    [...row.children].map((cell) => cell.textContent.replaceAll(",", "")));
  document.getElementById("bars-table").close();
  window.shown = rows;
  return JSON.stringify(rows) === JSON.stringify(wanted);
}"""
"""Whether the chart's bars in view are these."""
WATCH = """() => {
  window.seen = [];
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      if (/forged|987,654/i.test(target.textContent)) seen.push(target.textContent);
    }
  }).observe(document, { subtree: true, childList: true, characterData: true });
}"""
"""What is forged is noted, however short it is shown."""
HEAD = ("price", "change", "percent", "open", "high", "low")
DROPPED = ("ERR_CONNECTION_REFUSED", "WebSocket", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET")
"""What the browser says when the gateway goes away."""


class Feed:
    """Trades of one future, on two trading days in a row and in the night between them."""

    def __init__(self, service: Service) -> None:
        self._number = 0
        self.connect(service)

    def connect(self, service: Service) -> None:
        self._browser = Browser(service.url)

    def close(self) -> None:
        self._browser.close()

    def trade(self, begin: datetime, minutes: int, each: int = 4) -> str:
        """`each` trades a minute from `begin` on; the price of the last one, as it is shown."""
        price = 0
        for second in range(0, minutes * 60, 60 // each):
            self._number += 1
            price = 23_000 + (self._number * 37) % 101 - self._number % 7
            trade = {
                "code": CODE,
                "datetime": (begin + timedelta(seconds=second)).isoformat(),
                "price": price,
                "volume": 1 + self._number % 3,
            }
            self._browser.emit("market_tick", trade)
        return f"{price:,}"


def trading_days() -> list[datetime]:
    """Midnight of the last two trading days that are over."""
    calendar, day, found = Calendar(), datetime.now(TAIPEI), []
    while len(found) < 2:
        day = datetime.combine(day.date(), time(), TAIPEI) - timedelta(days=1)
        if calendar.session("stocks", day + timedelta(hours=10)):
            found.insert(0, day)
    return found


class AgreementTests(PageCase):
    def setUp(self) -> None:
        require_chromium()
        self.folder = Path(tempfile.mkdtemp())
        self.port = free_port()
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.start()

    def start(self) -> None:
        self.service = started(self.folder, "--no-worker", port=self.port)
        self.addCleanup(self.service.close)

    def page(self, size: str = "desk") -> Page:
        visit = self.visit(self.service, size, expected=DROPPED)
        visit.page.goto(f"{self.service.url}/#/{CODE}/1m")
        return visit.page

    def told(self, interval: str) -> list[list[str]]:
        """The rows of the table as the gateway's bars have them, the newest first."""
        answer = self.service.request(f"/bars?code={CODE}&interval={interval}")[1]["bars"]
        columns = (answer[name] for name in ("open", "high", "low", "close", "volume"))
        rows = [
            [f"{datetime.fromtimestamp(at, TAIPEI):%m/%d %H:%M}", *(f"{each:.0f}" for each in bar)]
            for at, *bar in zip(answer["time"], *columns, strict=True)
        ]
        return rows[::-1]

    def agree(self, pages: list[Page], last: str, count: int) -> None:
        """All show the last price, the same head, and the gateway's bars, `count` of a minute."""
        for page in pages:
            expect(page.locator("#selected-price")).to_have_text(last)
        for interval in ("5m", "1m"):
            wanted = self.told(interval)
            for page in pages:
                page.evaluate(f"location.hash = '#/{CODE}/{interval}'")
                try:
                    page.wait_for_function(SHOWS, arg=wanted)
                except TimeoutError:
                    self.assertEqual(page.evaluate("shown"), wanted)
        self.assertEqual(len(wanted), count)
        heads = [
            {name: page.locator(f"#selected-{name}").inner_text() for name in HEAD}
            for page in pages
        ]
        self.assertEqual(heads, heads[:1] * len(pages))

    def test_no_reload_restart_or_change_of_day_loses_a_bar(self) -> None:
        first, second = trading_days()
        feed = Feed(self.service)
        feed.trade(first + timedelta(hours=13, minutes=30), 5)  # before anybody looks
        pages = [self.page(), self.page(), self.page("phone")]
        pages[2].locator("#quotes-body tr").first.click()
        last = feed.trade(first + timedelta(hours=13, minutes=41), 4)
        self.agree(pages, last, 9)
        last = feed.trade(first + timedelta(hours=15), 6)  # the night is of the next day
        last = feed.trade(second + timedelta(hours=8, minutes=45), 6)
        self.agree(pages, last, 21)
        pages[0].reload()
        self.agree(pages, last, 21)
        feed.close()
        self.service.stop()
        for page in pages:
            expect(page.locator("#belief")).to_have_attribute("data-id", "gone")
        self.start()
        feed.connect(self.service)
        self.addCleanup(feed.close)
        for page in pages:
            expect(page.locator("#belief")).not_to_have_attribute("data-id", re.compile("gone"))
        last = feed.trade(second + timedelta(hours=8, minutes=51), 3)
        self.agree(pages, last, 24)


class ForgedTests(PageCase):
    """A client that is not the worker says what only the worker should."""

    FORGED: tuple[tuple[str, dict[str, Any]], ...] = (
        ("market_tick", {"code": "FORGED", "price": 1, "volume": 1}),
        ("market_tick", {"code": "2330", "price": 987_654, "volume": 1}),
        ("market_snapshot", {"code": "FORGED", "close": 1, "name": "forged"}),
        ("market_contract", {"code": "2330", "name": "forged", "reference": 1}),
        ("python_status", {"status": "fatal", "message": "forged"}),
        ("python_error", {"error": "forged"}),
        ("feed_status", {"market": "futures", "status": "stale", "reason": "forged"}),
        ("shioaji_ready", {"simulation": True, "forged": True}),
        ("heartbeat", {"shioaji_connected": False}),
        ("forged_event", {"n": 1}),
    )

    def test_what_others_forge_never_appears(self) -> None:
        require_chromium()
        options = (MAIN, "--demo", "--worker-args=--rate 40", "--publish=any")
        service = gateway(self, *options)
        forger, witness = Browser(service.url), Browser(service.url)
        self.addCleanup(forger.close)
        self.addCleanup(witness.close)
        page = self.visit(service).page
        expect(page.locator("#worker-state[data-worker=ready]")).to_be_attached()
        expect(page.locator("#quotes-body tr")).to_have_count(6)
        page.get_by_role("button", name="2330").click()
        page.evaluate(WATCH)
        for name, value in self.FORGED:
            forger.emit(name, value)
        witness.hears("forged_event", n=1)  # others who want everything do get it
        price = page.locator("#selected-price")
        for _ in range(3):
            before = price.inner_text()
            expect(price).not_to_have_text(before)
        self.assertEqual(page.evaluate("seen"), [])
        expect(page.locator("#quotes-body tr")).to_have_count(6)
        expect(page.locator("#belief")).to_have_attribute("data-id", "demo")
        self.assertFalse(page.title().startswith("⚠"), page.title())
        # The inspector shows them on request, and says what they are.
        page.keyboard.press("o")
        page.locator("#events-everybody").check()
        expect(page.locator("#events-untrusted")).to_be_visible()
        names = page.locator("#events-names")

        def told() -> bool:
            forger.emit("forged_event", {"n": 2})
            return "forged_event" in names.inner_text()

        service.until("forged event in the inspector", told)
