"""The operator's page in a real browser, against the real gateway."""

import os
import re
import shutil
import signal
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect
from twisted.trial.unittest import SynchronousTestCase

from tests.interop.browser import Visit, chromium, require_chromium
from tests.interop.kept import Kept
from tests.interop.service import ROOT, Browser, Service, started
from tests.ports import free_port
from tests.untraced import untraced

APART = re.compile("gone|[tT]oken|asking")
"""What the status line says while the page does not hear the gateway."""
LOOK_ON, ACT = "a-token-to-look-on", "a-token-to-act"
MAIN = f"--main={ROOT / 'main.py'}"


def start(*options: str, **environ: str) -> Service:
    return started(Path(tempfile.mkdtemp()), *options, **environ)


gateway = Kept(start)

NOTE_SIGKILL = """
    window.WebSocket = class extends WebSocket {
        constructor(...given) {
            super(...given);
            this.addEventListener("message", ({ data }) => {
                if (String(data).includes("SIGKILL")) window.heard ??= Date.now();
            });
        }
    };
"""
"""When the page is told of it."""
WATCH_FOR_SIGKILL = """() => {
    const conditions = document.getElementById("conditions");
    window.told = new Promise((resolve) => new MutationObserver(() => {
        if (!conditions.innerText.includes("SIGKILL")) return;
        const at = Date.now();
        requestAnimationFrame(() => requestAnimationFrame(() => resolve([
            at - heard, document.title,
        ])));
    }).observe(conditions, { childList: true }));
}"""
"""What it shows for a second is not missed by somebody who looks now and then."""


class PageCase(SynchronousTestCase):
    """Each test opens pages of its own."""

    def visit(self, service: Service, *args: str, **more: Any) -> Visit:
        visit = chromium(self).visit(service.url, *args, **more)
        self.addCleanup(lambda: self.assertEqual(visit.faults, []))
        self.addCleanup(visit.close)
        return visit


class DemoCase(PageCase):
    """With the demonstration feed; a worker that the test before left is started again."""

    def setUp(self) -> None:
        require_chromium()
        self.service = gateway(self, MAIN, "--demo", "--worker-args=--rate 40")
        if self.service.request("/status")[1]["state"] in ("stopped", "fatal"):
            self.service.request("/restart-python", {})

    def open(self, *args: str, **more: Any) -> Visit:
        """The page, once the worker is ready and its prices are shown."""
        visit = self.visit(self.service, *args, **more)
        expect(visit.page.locator("#worker-state[data-worker=ready]")).to_be_attached()
        expect(visit.page.locator("#quotes-body tr")).to_have_count(6)
        return visit

    def operations(self, *args: str, **more: Any) -> Visit:
        """The same, with the worker's own view in front."""
        visit = self.open(*args, **more)
        visit.page.keyboard.press("o")
        expect(visit.page.locator("#worker-state")).to_be_visible()
        return visit

    def worker_pid(self) -> int:
        return self.service.request("/status")[1]["pid"]


class QuotesTests(DemoCase):
    def test_live_prices_move_and_the_chart_is_of_the_chosen_code(self) -> None:
        page = self.open().page
        price = page.locator("#quotes-body tr", has_text="TXFR1").locator(".price")
        for _ in range(2):
            before = price.inner_text()
            expect(price).not_to_have_text(before)
        page.get_by_role("button", name="2330").click()
        expect(page.locator("#selected-first")).to_have_text("2330")
        expect(page.locator("#selected-second")).to_have_text("台積電")
        expect(page.locator("#book-body tr").first).to_contain_text("1,")
        expect(page).to_have_title(re.compile("2330"))
        self.assertTrue(page.url.endswith("#/2330"), page.url)
        expect(page.locator("#tape-body tr").first).to_contain_text("1,")
        expect(page.locator("#legend")).to_contain_text("C 1,")

    def test_red_is_up_and_green_is_down_in_both_languages(self) -> None:
        color = """(move) => {
            document.getElementById("selected-quote").dataset.move = move;
            const { color } = getComputedStyle(document.getElementById("selected-price"));
            return color.match(/\\d+/g).map(Number);
        }"""
        for language in ("en", "zh"):
            page = self.open("desk", language).page
            for move, channel in (("up", 0), ("down", 1)):
                red_green_blue = page.evaluate(color, move)
                self.assertEqual(red_green_blue.index(max(red_green_blue)), channel)


class ReplayTests(PageCase):
    def test_it_says_replay_and_can_be_paused_and_sent_elsewhere(self) -> None:
        require_chromium()
        session = ROOT / "examples" / "2026-11-30-day.jsonl.zst"
        service = gateway(self, f"--replay={session}", "--speed=30", "--loop")
        page = self.visit(service).page
        expect(page.locator("#belief")).to_have_text("Replay")
        expect(page.locator("#replay")).to_contain_text("not the prices of now")
        expect(page).to_have_title(re.compile("^▶"))
        expect(page.locator("#quotes-body tr")).to_have_count(6)
        page.get_by_role("button", name="Pause").click()
        expect(page.locator("#replay-time")).to_contain_text("paused")
        expect(page.locator("#replay-speed")).to_have_value("30")
        page.locator("#replay-to").fill("09:20")
        page.get_by_role("button", name="Go there").click()
        expect(page.locator("#replay-time")).to_have_text("2026-11-30 09:20:00 · paused")
        # The names are told again, and no price of the other time is shown.
        row = page.locator("#quotes-body tr", has_text="臺股期貨近月")
        expect(row.locator(".price")).to_have_text("\u2013")
        page.locator("#replay-speed").select_option("10")
        expect(page.locator("#replay-time")).to_contain_text("10×")
        expect(row.locator(".price")).to_contain_text("2")


class LateTests(PageCase):
    def test_who_comes_late_sees_the_last_price(self) -> None:
        require_chromium()
        service = gateway(self, "--no-worker")
        worker = Browser(service.url)
        self.addCleanup(worker.close)
        hour_ago = datetime.now(UTC) - timedelta(hours=1, minutes=5)
        name = "<img src=x onerror=alert(1)>"
        for event, fields in (("tick", {"price": 101.5}), ("snapshot", {"close": 1, "name": name})):
            told = {"code": "LATE", "open": 100, "timestamp": hour_ago.isoformat(), **fields}
            worker.emit(f"market_{event}", told)
        page = self.visit(service).page
        row = page.locator("#quotes-body tr")
        expect(row.locator(".price")).to_have_text("101.5")
        expect(row.locator(".change")).to_have_text("1.5+1.50%")
        expect(row).to_have_attribute("data-move", "up")
        expect(row.locator(".second span")).to_have_text(name)
        # Nobody has told the reference, and that is said.
        expect(page.locator("#selected-percent")).to_have_text("+1.50% vs. open")

    def test_what_has_no_words_does_not_keep_the_history_from_the_next(self) -> None:
        require_chromium()
        service = gateway(self, "--no-worker")
        worker = Browser(service.url)
        self.addCleanup(worker.close)
        page = self.visit(service).page
        expect(page.locator("#belief")).not_to_have_attribute("data-id", APART)
        worker.emit("feed_status", {"market": "odd", "status": {"toString": None}})
        worker.emit("feed_status", {"market": "next", "status": "stale"})
        expect(page.locator("#history")).to_contain_text("next")


class WorkerTests(DemoCase):
    def test_restart_works_from_the_page(self) -> None:
        page, before = self.operations().page, self.worker_pid()
        page.get_by_role("button", name="Restart").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        self.assertEqual(self.worker_pid(), before)
        page.get_by_role("button", name="Restart").click()
        page.get_by_role("dialog").get_by_role("button", name="Restart").click()
        expect(page.locator("#worker-message")).to_have_text("Restarted.")
        expect(page.locator("#worker-state[data-worker=ready]")).to_be_visible()
        expect(page.locator("#worker-exit")).to_contain_text("as asked")
        self.assertNotIn(self.worker_pid(), (None, before))

    def test_stop_and_start_work_from_the_page(self) -> None:
        visit = self.operations()
        page = visit.page
        page.get_by_role("button", name="Stop").click()
        page.get_by_role("dialog").get_by_role("button", name="Stop").click()
        expect(page.locator("#worker-state")).to_have_text("Stopped")
        self.assertEqual(self.service.request("/status")[1]["state"], "stopped")
        expect(page.locator("#worker-stop")).to_be_disabled()
        visit.screenshot("stopped")
        page.locator(".condition", has_text="stopped").get_by_role("button").click()
        expect(page.locator("#worker-state[data-worker=ready]")).to_be_visible()
        expect(page.locator(".condition", has_text="stopped")).to_have_count(0)

    def test_a_killed_worker_shows_at_once(self) -> None:
        page = self.operations(script=NOTE_SIGKILL).page
        page.evaluate(WATCH_FOR_SIGKILL)
        os.kill(self.worker_pid(), signal.SIGKILL)
        milliseconds, title = page.evaluate("told")
        self.assertLess(milliseconds, 2000)
        self.assertTrue(title.startswith("⚠"), title)
        expect(page.locator("#announcer")).to_contain_text("SIGKILL")
        expect(page.locator("#worker-state[data-worker=ready]")).to_be_visible()
        expect(page.locator("#history")).to_contain_text("The worker ended: SIGKILL")
        expect(page.locator("#announcer")).to_contain_text("All is well again.")

    def test_what_the_worker_prints_is_shown(self) -> None:
        page = self.operations().page
        expect(page.locator("#log")).to_contain_text("demonstration feed: a random walk")

    def test_clients_are_listed(self) -> None:
        page = self.operations().page
        expect(page.locator("#clients-body tr[data-worker]")).to_contain_text("127.0.0.1:")
        expect(page.locator("#clients-summary")).to_contain_text("WebSocket")


class EverybodyTests(DemoCase):
    def test_it_speaks_the_language_of_the_browser_until_told_otherwise(self) -> None:
        for language, title, tag in (("en", "Quotes", "en"), ("zh", "報價", "zh-TW")):
            page = self.open("desk", language).page
            expect(page.locator("#quotes-title")).to_have_text(title)
            self.assertEqual(page.locator("html").get_attribute("lang"), tag)
        page.get_by_role("button", name="EN", exact=True).click()
        expect(page.locator("#quotes-title")).to_have_text("Quotes")
        page.reload()
        expect(page.locator("#quotes-title")).to_have_text("Quotes")

    def test_light_and_dark_follow_the_system_until_told_otherwise(self) -> None:
        background = "getComputedStyle(document.documentElement).backgroundColor"
        light = self.open("desk", "en", "light").page.evaluate(background)
        page = self.open("desk", "en", "dark").page
        self.assertNotEqual(page.evaluate(background), light)
        page.get_by_role("button", name="Colors").click()
        self.assertEqual(page.evaluate(background), light)
        page.reload()
        self.assertEqual(page.evaluate(background), light)

    def test_it_fits_a_phone(self) -> None:
        visit = self.open("phone", "zh", "dark")
        page = visit.page
        overflow = "document.documentElement.scrollWidth - window.innerWidth"
        self.assertEqual(page.evaluate(overflow), 0)
        page.locator("#quotes-body tr").first.click()
        expect(page.locator("#chart")).to_be_in_viewport()
        page.get_by_role("navigation").get_by_role("button", name="維運", exact=True).click()
        page.locator("#worker-restart").scroll_into_view_if_needed()
        expect(page.locator("#worker-restart")).to_be_in_viewport()
        self.assertEqual(page.evaluate(overflow), 0)
        visit.screenshot("phone-dark-zh")

    def test_the_keyboard_is_enough(self) -> None:
        page, before = self.open().page, self.worker_pid()
        focused = "document.activeElement.matches('a, button') && document.activeElement.innerText"
        page.keyboard.press("Tab")
        self.assertIn("Skip", page.evaluate(focused))
        page.keyboard.press("Enter")
        while "TXFR1" not in (page.evaluate(focused) or ""):
            page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
        expect(page.locator("#selected-first")).to_contain_text("TXO23000")
        page.keyboard.press("End")
        expect(page.locator("#selected-first")).to_have_text("2330")
        while page.evaluate("document.activeElement.id") != "chart":
            page.keyboard.press("Tab")
        page.keyboard.press("End")
        expect(page.locator("#readout")).to_contain_text("close 1,")
        page.keyboard.press("o")
        while page.evaluate(focused) != "Restart":
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        self.assertEqual(page.evaluate(focused), "Restart")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#worker-message")).to_have_text("Restarted.")
        self.assertNotEqual(self.worker_pid(), before)

    def test_a_question_asked_again_at_once_has_an_answer_of_its_own(self) -> None:
        page = self.operations().page
        page.evaluate(
            """() => {
                const restart = document.getElementById("worker-restart");
                restart.click();
                document.getElementById("confirm").close();
                restart.click(); // before the browser has told that the first was closed
            }"""
        )
        page.get_by_role("dialog").get_by_role("button", name="Restart").click()
        expect(page.locator("#worker-message")).to_have_text("Restarted.")

    @untraced
    def test_nothing_shuts_anybody_out(self) -> None:
        for size, language, scheme in (("desk", "en", "light"), ("phone", "zh", "dark")):
            visit = self.open(size, language, scheme)
            self.assertEqual(visit.barriers(), [])
            visit.screenshot(f"{size}-{scheme}-{language}")
            visit.page.keyboard.press("o")
            self.assertEqual(visit.barriers(), [])
            visit.page.locator("#open-credentials").click()
            visit.page.locator("#credentials-submit").click()
            self.assertEqual(visit.barriers(), [])


class CredentialsTests(PageCase):
    def test_what_is_posted_from_the_form_reaches_the_worker_and_is_never_shown(self) -> None:
        require_chromium()
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        service = started(folder, MAIN)
        self.addCleanup(service.close)
        certificate = folder / "certificate.pfx"
        certificate.write_bytes(b"certificate")
        given = {
            "API key": "an-api-key # 'of' \"20\"",
            "Secret key": "a-secret $HOME 密鑰",
            "Certificate file": str(certificate),
            "Certificate password": "ca-password",
        }
        page = self.visit(service, expected=("400",)).page
        page.locator(".condition").get_by_role("button", name="Enter keys").click()
        form = page.get_by_role("dialog")
        submit = form.get_by_role("button", name="Save and restart")
        submit.click()
        expect(form.locator("#apiKey")).to_be_focused()
        expect(form.locator("#secretKey-error")).to_have_text("This is needed.")
        expect(form.locator("#caPassword-error")).to_have_text("")
        form.get_by_label("Certificate file").fill("half.pfx")
        submit.click()
        expect(form.locator("#caPassword-error")).to_contain_text("both or neither")
        for label, value in given.items():
            form.get_by_label(label).fill(value)
        form.get_by_label("Certificate file").fill(str(certificate) + ".missing")
        submit.click()
        expect(form.locator("#credentials-message")).to_contain_text("caCertPath")
        form.get_by_label("Certificate file").fill(str(certificate))
        submit.click()
        expect(form.locator("#credentials-message")).to_contain_text("ready with the new")
        login = service.journal("login")[-1]
        self.assertEqual(login["api_key"], given["API key"])
        self.assertEqual(login["secret_key"], given["Secret key"])
        form.get_by_role("button", name="Close").click()
        page.keyboard.press("o")
        page.get_by_role("button", name="Keys…").click()
        for label in given:
            expect(form.get_by_label(label)).to_have_value("")
        self.assertNotIn("an-api-key", page.content())
        form.get_by_role("button", name="Close").click()
        expect(page.locator(".condition")).to_have_count(0)


class HoursTests(PageCase):
    """Outside of the worker's hours: one minute of the week, which is not now."""

    HOURS = f"{(datetime.now(UTC) - timedelta(days=2)):%a} 03:00-03:01"

    def test_a_worker_that_is_down_for_want_of_a_session_says_when_it_starts(self) -> None:
        require_chromium()
        service = gateway(self, MAIN, "--sessions", self.HOURS, "--timezone=UTC")
        for language, words, action in (
            ("en", "The worker starts at", "Start now"),
            ("zh", "休市中，行情程式", "立即啟動"),
        ):
            page = self.visit(service, "desk", language).page
            condition = page.locator(".condition")
            expect(condition).to_contain_text(words)
            expect(condition).to_have_attribute("data-level", "info")
            expect(condition.get_by_role("button")).to_have_text(action)
            expect(page.locator("#worker-next")).not_to_have_text("–")
            self.assertFalse(page.title().startswith("⚠"), "nothing is wrong")
        self.assertIn("down until its session opens", service.log)
        self.assertNotIn("stays down until someone", service.log)
        status = service.request("/status")[1]
        self.assertEqual((status["state"], status["schedule"]["inSession"]), ("stopped", False))
        self.assertEqual(status["nextStartAt"], status["schedule"]["nextSession"])


class TokenTests(PageCase):
    def open(self) -> Visit:
        require_chromium()
        tokens = {"SJGATEWAY_VIEW_TOKEN": LOOK_ON, "SJGATEWAY_TOKEN": ACT}
        return self.visit(gateway(self, "--no-worker", **tokens), expected=("401",))

    def enter(self, page, token: str) -> None:
        page.locator("#open-token").click()
        page.locator("#token-input").fill(token)
        page.get_by_role("button", name="Use", exact=True).click()

    def test_a_token_is_asked_for_kept_in_the_tab_and_forgotten(self) -> None:
        page = self.open().page
        expect(page.locator(".condition")).to_contain_text("wants a token")
        expect(page.locator("#belief")).to_have_attribute("data-level", "bad")
        self.enter(page, "a-wrong-token")
        expect(page.locator(".condition")).to_contain_text("does not know this token")
        self.enter(page, LOOK_ON)
        expect(page.locator(".condition")).to_have_count(0)
        expect(page.locator("#belief")).not_to_have_attribute("data-id", APART)
        self.assertEqual(page.evaluate("localStorage.length"), 0)
        page.reload()
        expect(page.locator("#belief")).not_to_have_attribute("data-id", APART)
        page.locator("#open-token").click()
        page.get_by_role("button", name="Forget").click()
        expect(page.locator(".condition")).to_contain_text("wants a token")

    def test_without_a_worker_the_card_says_why_nothing_can_be_done(self) -> None:
        page = self.open().page
        self.enter(page, ACT)
        page.keyboard.press("o")
        expect(page.locator("#worker-disabled")).to_contain_text("--no-worker")
        expect(page.locator("#worker-actions")).to_be_hidden()


class ConnectionTests(PageCase):
    def test_a_gateway_that_comes_back_is_found_again(self) -> None:
        require_chromium()
        folder, port = Path(tempfile.mkdtemp()), free_port()
        self.addCleanup(shutil.rmtree, folder)
        service = started(folder, "--no-worker", port=port)
        self.addCleanup(service.close)
        page = self.visit(service, expected=("ERR_CONNECTION_REFUSED", "WebSocket")).page
        expect(page.locator("#belief")).not_to_have_attribute("data-id", APART)
        service.stop()
        expect(page.locator(".condition")).to_contain_text("does not answer")
        again = started(folder, "--no-worker", port=port)
        self.addCleanup(again.close)
        expect(page.locator("#belief")).not_to_have_attribute("data-id", APART)
        expect(page.locator(".condition")).to_have_count(0)


class ContractTests(PageCase):
    """What a worker tells of continuous contracts and trial matches."""

    def setUp(self) -> None:
        require_chromium()
        self.service = gateway(self, "--no-worker", "--publish=any")
        self.worker = Browser(self.service.url)
        self.addCleanup(self.worker.close)

    def tell(self, name: str, code: str, /, **fields: object) -> None:
        self.worker.emit(f"market_{name}", {"code": code, **fields})

    def row(self, page: Page, text: str) -> Locator:
        return page.locator("#quotes-body tr", has_text=text)

    def test_both_codes_of_a_continuous_contract_are_one_row(self) -> None:
        self.tell("snapshot", "ZXFR1", open=100, high=103, low=99, close=101, name="台指近")
        self.tell("tick", "ZXFL6", open=100, high=104, low=99, price=102, price_chg=2)
        page = self.visit(self.service).page
        expect(self.row(page, "ZXF")).to_have_count(2)
        self.row(page, "ZXFL6").click()
        self.tell("contract", "ZXFR1", target_code="ZXFL6", reference=100)
        row = self.row(page, "ZXF")
        expect(row).to_have_count(1)
        expect(row.locator(".first")).to_have_text("ZXFR1")
        expect(row.locator(".second span")).to_have_text("台指近")
        expect(page.locator("#selected-second")).to_have_text("台指近 → ZXFL6")
        self.tell("tick", "ZXFL6", price=105, price_chg=5)
        expect(row.locator(".price")).to_have_text("105")
        expect(row.locator(".change")).to_have_text("5+5.00%")
        self.tell("contract", "ZXFR1", target_code="ZXFA7", reference=100)
        self.tell("tick", "ZXFA7", price=106, price_chg=6)
        expect(row.locator(".price")).to_have_text("106")
        expect(page.locator("#selected-second")).to_have_text("台指近 → ZXFA7")
        page.get_by_placeholder("Code or name").fill("zxfa7")
        expect(page.locator("#quotes-body tr")).to_have_count(1)
        self.assertIn("ZXFR1", page.title())

    def test_a_contract_is_shown_before_its_first_price(self) -> None:
        self.tell("contract", "9998", name="新股", reference=50)
        row = self.row(self.visit(self.service).page, "9998")
        expect(row.locator(".second span")).to_have_text("新股")
        expect(row.locator(".price")).to_have_text("–")
        expect(row.locator(".volume")).to_have_text("–")

    def test_trial_matches_are_marked_and_in_no_figure(self) -> None:
        for language, word in (("en", "Trial"), ("zh", "試撮")):
            code = f"998{len(word)}"
            self.tell("contract", code, reference=100)
            self.tell("tick", code, simtrade=True, open=150, high=150, low=150, price=150)
            page = self.visit(self.service, "desk", language).page
            row = self.row(page, code)
            row.click()
            expect(row.locator(".price")).to_have_text("150.0")  # the step of its prices is 0.5
            expect(row.locator(".label")).to_have_text(word)
            expect(page.locator("#selected-mark")).to_have_text(word)
            expect(page.locator("#selected-high")).to_have_text("–")
            expect(row.locator(".change")).to_have_text("50.0+50.00%")
            prices = {"open": 101, "high": 102, "low": 100}
            self.tell("tick", code, simtrade=False, price=101, **prices)
            expect(row.locator(".price")).to_have_text("101.0")
            expect(row.locator(".label")).not_to_have_text(word)  # "close", out of session
            expect(page.locator("#selected-high")).to_have_text("102.0")
            page.locator("#chart").focus()
            page.keyboard.press("End")
            expect(page.locator("#legend")).to_contain_text("101")
            self.assertNotIn("150", page.locator("#legend").inner_text())
