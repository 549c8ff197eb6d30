"""The view Operations in a real browser, without a gateway: what it shows of what it is told."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import attrs
from playwright.sync_api import Page, expect

from benchmarks.scenes import ACTIONS, ALERTING, CLUSTER, SCENES, TROUBLE, Scene, ago, later
from tests.interop.browser import barriers
from tests.interop.test_desk import SPILLED, StageCase

IDLE = "() => !document.getElementById('replay-pause').disabled"
"""Whether the replay can be told something."""
POSTED = "() => !document.getElementById('replay-stop').disabled"
"""Whether what was asked of its player was answered."""
SLY = {"note": "<img src=x onerror=alert(1)>", "turn": "\u202eabc", "big": "x" * 20_000}


def scene(name: str = "ready", **status: Any) -> Scene:
    """That scene in Operations; `status` goes over what the gateway tells."""
    found = SCENES[name]
    return attrs.evolve(found, place="#/ops", status={**found.status, **status})


class OperationsTests(StageCase):
    """Few stages, since each takes a second or two, and much that is asked of each."""

    def test_a_pause_is_explained_and_who_did_what_is_told(self) -> None:
        page = self.stage(scene("pause", actions=ACTIONS, alerting=ALERTING), "wide").page
        banner = page.locator("#conditions")
        expect(banner).to_contain_text("The broker asked for a pause: too many connections (451).")
        expect(banner).to_contain_text("Tries again at 10:44:00")
        expect(banner.locator("code")).to_have_text(
            "ConnectionError: StatusCode: 451, Detail: Too Many Connections."
        )
        expect(banner.locator("button")).to_have_text("Start now anyway…")
        lines = page.locator("#history li")
        expect(lines).to_have_count(3)
        expect(lines.nth(0)).to_contain_text("The worker ended: too many connections (451)")
        expect(lines.nth(1)).to_contain_text("desk-2 asked for a restart")
        expect(lines.nth(1)).to_contain_text("192.168.1.20 · done · against the broker's pause")
        expect(lines.nth(2)).to_contain_text("Somebody unknown asked for a stop")
        expect(lines.nth(2)).to_contain_text("refused: wrong token")
        channels = page.locator("#access-channels li")
        expect(channels.nth(0)).to_contain_text("arrived")
        expect(channels.nth(1)).to_contain_text("answered 429")
        expect(page.locator("#access-test")).to_be_enabled()
        expect(page.locator("#day-bands span")).to_have_count(4)  # two of the night, two days
        expect(page.locator("#day-pins i")).to_have_count(3)
        expect(page.locator("#day-pins [data-done]")).to_have_count(2)
        expect(page.locator("#day-restart")).to_have_text("06:30, 08:40, 14:54")
        expect(page.locator("#day-next")).to_have_text("Night 15:00")
        expect(page.locator("#access-version")).to_have_text("sjgateway 2.0.0 · running for 6 d")
        program = page.locator("#worker-program")
        expect(program).to_have_text("main.py · Python 3.11.7 · shioaji 1.2.5")
        expect(program).to_have_attribute("title", re.compile("python-socketio 5.11.0"))
        self.assertEqual(barriers(page), [])
        page.locator("[data-record=action]").click()
        expect(lines).to_have_count(2)
        self.assert_log(page)
        banner.locator("a").click()
        expect(page.locator("#output")).to_be_focused()

    def assert_log(self, page: Page) -> None:
        """Both sources are in one list by their time, and each can be seen alone."""
        lines = page.locator("#log .line")
        expect(lines).to_have_count(sum(map(len, TROUBLE.values())))
        times = page.locator("#log time").evaluate_all("all => all.map((one) => one.dateTime)")
        self.assertEqual(times, sorted(times, key=datetime.fromisoformat))
        cause = page.locator("#log [data-cause]")
        expect(cause).to_have_text(re.compile("ConnectionError: StatusCode: 451"))
        for which, source in (("worker", "worker"), ("gateway", "gateway")):
            page.locator(f"[data-log={which}]").click()
            expect(lines).to_have_count(len(TROUBLE[source]))
        page.locator("[data-log=errors]").click()
        expect(lines.first).to_contain_text("WARNING login retry 1 of 3")
        expect(lines.last).to_contain_text("Tries again")

    def test_who_may_only_look_is_offered_no_action(self) -> None:
        viewer = {"access": {"name": "viewer", "role": "view"}}
        page = self.stage(scene("fatal", **viewer), "phone", "zh", "dark").page
        expect(page.locator("#conditions")).to_contain_text("行情程式已停止重試：連線數過多（451）")
        expect(page.locator("#conditions button")).to_have_count(0)
        for button in ("worker-start", "worker-stop", "worker-restart", "open-credentials"):
            expect(page.locator(f"#{button}")).to_be_disabled()
            expect(page.locator(f"#{button}")).to_have_accessible_description("viewer 只能看。")
        expect(page.get_by_text("viewer 只能看。").locator("visible=true")).to_have_count(1)
        self.assertEqual(barriers(page), [])
        self.assertLessEqual(page.evaluate(SPILLED), 0)

    def test_a_token_is_asked_for_and_remembered_only_on_request(self) -> None:
        page = self.stage("wrong-token").page
        expect(page.locator("#conditions")).to_contain_text("does not know this token")
        for lasts, kept in ((False, None), (True, "a-token-of-mine")):
            page.locator("#open-token").click()
            page.fill("#token-input", "a-token-of-mine")
            page.locator("#token-lasting").set_checked(lasts)
            page.locator("#token button[value=save]").click()
            self.assertEqual(page.evaluate("localStorage.getItem('sjgateway.token')"), kept)
        page.locator("#open-token").click()
        page.locator("#token-forget").click()
        left = page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]")
        self.assertNotIn("sjgateway.token", left)

    def test_events_of_any_feed_can_be_looked_at_and_do_no_harm(self) -> None:
        stage = self.stage(scene("custom"))
        page, shown = stage.page, stage.page.locator("#events-json")
        names = page.locator("#events-names tr")
        expect(page.locator("#events-names")).to_contain_text("weather")
        stage.hear([("weather", SLY), ("\u202ex" * 5000, {"n": 1})])
        page.get_by_role("button", name="weather").click()
        expect(shown).to_contain_text('"note": "<img src=x onerror=alert(1)>"')
        expect(shown).to_contain_text("⟨U+202E⟩abc")
        self.assertEqual(page.locator("#events-json img").count(), 0)
        self.assertLess(len(shown.inner_text()), 5000)
        page.locator("#events-all").click()
        expect(page.locator("#events-all")).to_be_hidden()
        self.assertGreater(len(shown.inner_text()), 20_000)
        self.assertEqual(barriers(page), [])
        # The last twenty are kept, and hold still while somebody looks at an older one.
        stage.hear([("weather", {"n": n, "city": "臺北"}) for n in range(30)])
        expect(shown).to_contain_text('"n": 29')
        page.locator("#events-older").click()
        expect(shown).to_contain_text('"n": 28')
        expect(page.locator("#events-place")).to_have_text("19 / 20")
        expect(page.locator("#events-pause")).to_have_attribute("aria-pressed", "true")
        stage.hear([("weather", {"n": 99})])
        expect(shown).to_contain_text('"n": 28')
        # Plain HTTP under a name is not secure: the browser lets nothing be copied.
        page.locator("#events-copy").click()
        expect(page.locator("#events-copied")).to_contain_text("Ctrl+C")
        self.assertIn('"n": 28', page.evaluate("getSelection().toString()"))
        page.fill("#events-filter", "臺北")
        expect(names).to_have_count(1)
        page.fill("#events-filter", "nothing of this")
        expect(page.locator("#events-empty")).to_be_visible()

    def test_an_alarm_is_made_kept_and_fires(self) -> None:
        stage = self.stage("ready")
        page = stage.page
        page.keyboard.press("n")
        expect(page.locator("#alarms-code")).to_have_value("TXFR1")
        page.fill("#alarms-value", "abc")
        page.locator("#alarms-form .primary").click()
        expect(page.locator("#alarms-error")).to_be_visible()
        page.fill("#alarms-value", "31300")
        page.locator("#alarms-form .primary").click()
        expect(page.locator("#alarms-list")).to_contain_text("TXFR1 crosses 31,300 upwards")
        expect(page.locator("#alarms-why")).to_contain_text("https or localhost")
        self.assertEqual(barriers(page), [])
        page.keyboard.press("Escape")
        expect(page.locator("#alarms")).to_be_hidden()
        expect(page.locator("#alarms-count")).to_have_text("1")
        for price in (31_290, 31_301):
            tick = {"code": "TXFR1", "price": price, "close": price, "datetime": ago(0)}
            stage.hear([("market_tick", {**tick, "volume": 1, "total_volume": 90_000 + price})])
        expect(page.locator("#announcer")).to_have_text("TXFR1 crossed 31,300: 31,301")
        expect(page.locator("#alarms-count")).to_have_text("")
        self.assertIn("31300", page.evaluate("localStorage['sjgateway.alarms']"))
        page.keyboard.press("o")
        expect(page.locator("#history li").first).to_contain_text("alarm of this device")
        # What each button would do, and why it can't.
        expect(page.locator("#worker-start")).to_have_accessible_description("it runs already.")
        stop = page.locator("#worker-stop")
        expect(stop).to_have_accessible_description("logs out; no quotes until somebody starts it.")
        stop.click()
        expect(page.locator("#confirm")).to_be_visible()

    def test_a_phone_has_a_tab_of_alarms(self) -> None:
        page = self.stage("ready", "phone", "zh", "dark").page
        page.get_by_role("button", name="警示", exact=True).click()
        expect(page.locator("#alarms")).to_be_visible()
        expect(page.locator("#quotes")).to_be_hidden()
        expect(page.locator("#alarms-code")).to_have_value("TXFR1")
        page.fill("#alarms-value", "31300")
        page.locator("#alarms-form .primary").click()
        expect(page.locator("#alarms-list")).to_contain_text("TXFR1 漲破 31,300")
        self.assertLessEqual(page.evaluate(SPILLED), 0)
        self.assertEqual(barriers(page), [])
        page.get_by_role("button", name="報價", exact=True).click()
        expect(page.locator("#alarms")).to_be_hidden()
        expect(page.locator("#quotes")).to_be_visible()

    def test_the_gateways_of_a_cluster_are_told(self) -> None:
        page = self.stage("cluster", "wide").page
        rows = page.locator("#cluster-body tr")
        expect(rows).to_have_count(3)
        expect(rows.nth(1)).to_contain_text("taipei-1this one")
        expect(rows.nth(2)).to_contain_text("taipei-2worker")
        expect(rows.nth(0)).to_have_attribute("data-version", "other")
        expect(page.locator("#cluster-lease")).to_have_text(
            "The worker is at taipei-2 · lease renewed 1 s ago, 43 s left"
        )
        trouble = {**CLUSTER, "cutOff": "Connection refused", "namesake": True, "worker": None}
        page = self.stage(scene("cluster", cluster=trouble), "phone", "zh").page
        expect(page.locator("#conditions")).to_contain_text("log 中斷：Connection refused")
        expect(page.locator("#conditions")).to_contain_text("也叫 taipei-1")
        expect(page.locator("#cluster-lease")).to_contain_text("沒有閘道執行行情程式")
        self.assertLessEqual(page.evaluate(SPILLED), 0)

    def test_a_replay_is_moved_by_keys_and_by_its_slider(self) -> None:
        stage = self.stage("replay", "tablet")
        page = stage.page
        for key, wish in (
            (" ", {"paused": True}),
            (".", {"to": "2026-12-01T02:43:17.000Z"}),
            (",", {"to": "2026-12-01T02:41:17.000Z"}),
            (">", {"speed": "60", "paused": False}),
        ):
            expect(page.locator("#replay-pause")).to_be_enabled()
            page.keyboard.press(key)
            page.wait_for_function(IDLE)
            self.assertEqual(stage.posted[-1:], [("replay", wish)], key)
        expect(page.locator("#replay-ends")).to_have_text("13:45")
        page.locator("#replay-at").fill("1796090400")
        page.wait_for_function(IDLE)
        self.assertEqual(stage.posted[-1], ("replay", {"to": "2026-12-01T02:00:00.000Z"}))
        self.assertEqual(barriers(page), [])
        page.locator("#replay-stop").click()
        page.locator("#confirm button[value=no]").click()
        page.locator("#replay-stop").click()
        page.locator("#confirm-yes").click()
        page.wait_for_function(IDLE)
        self.assertEqual([path for path, _ in stage.posted[-2:]], ["replay", "stop-python"])
        viewer = {"access": {"name": "viewer", "role": "view"}}
        page = self.stage(
            attrs.evolve(SCENES["replay"], status={**SCENES["replay"].status, **viewer})
        ).page
        expect(page.locator("#replay-time")).to_be_visible()
        expect(page.locator("#replay-form")).to_be_hidden()

    def test_a_replay_that_was_stopped_can_be_started(self) -> None:
        status = {**SCENES["replay"].status, "state": "stopped", "running": False, "ready": False}
        stage = self.stage(attrs.evolve(SCENES["replay"], status=status))
        page = stage.page
        expect(page.locator("#replay-time")).to_contain_text("stopped")
        for button in ("pause", "go", "at"):
            expect(page.locator(f"#replay-{button}")).to_be_disabled()
        page.locator("#replay-title").click()
        page.keyboard.press(".")
        expect(page.locator("#replay-stop")).to_have_text("Start")
        page.locator("#replay-stop").click()
        page.wait_for_function(POSTED)
        self.assertEqual(stage.posted, [("start-python", {})])

    def test_an_error_is_said_in_the_language_of_the_page(self) -> None:
        page = self.stage(scene("pause"), "desk", "zh").page
        refusal = {"error": "No", "details": "why", "code": "held", "nextStart": later(103)}
        page.route("**/start-python", lambda route: route.fulfill(status=500, json=refusal))
        page.locator("#worker-start").click()
        expect(page.locator("#worker-message")).to_have_text(
            "現在不能啟動行情程式，下次啟動：10:44:00。"
        )
