"""The Market view in a real browser, without a gateway: what it shows of what it is told."""

import re
from typing import Any

from attrs import evolve
from playwright.sync_api import expect
from twisted.trial.unittest import SynchronousTestCase

from benchmarks import invented
from benchmarks.scenes import SCENES, Scene
from benchmarks.shots import PAINTED, SIZES, WIDTH, Stage
from tests.interop.browser import barriers, chromium, require_chromium
from tests.untraced import untraced

CUT = """() => [...document.querySelectorAll(
    ".figure, .figure *, .big, .delta *, .ohl dd, #facts-list dd, #clock, .strike, .fact *,"
    + ".segments *")]
  .filter((each) => each.checkVisibility())
  .filter((each) => {
    if (each.closest("#expiries")) return false;  // they are scrolled
    const { left, right } = each.getBoundingClientRect();
    const box = each.closest(".panel, .bar").getBoundingClientRect();
    return left < box.left || right > box.right
      || (each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== "inline");
  })
  .map((each) => `${each.className} ${each.id} ${each.textContent}`)"""
"""The figures of which a part is not seen."""
SMALL = """() => [...document.querySelectorAll(
    "button, a, input, select, summary, textarea, td[tabindex]")]
  .map((each) => [each, each.closest("label, #quotes-body tr, #board tr") ?? each])
  .filter(([, met]) => met.checkVisibility({ visibilityProperty: true }))
  .map(([each, met]) => [each, met.getBoundingClientRect()])
  .filter(([, { width, height, bottom }]) => bottom > 0 && Math.min(width, height) < 43.5)
  .map(([each, { width, height }]) => `${each.id} ${each.textContent} ${width} x ${height}`)"""
"""What a finger may miss; a row that is pressed anywhere is as large as all of it."""
HIDE = """() => {
  Object.defineProperty(document, "hidden", { value: true });
  window.requestAnimationFrame = () => 0;
  document.dispatchEvent(new Event("visibilitychange"));
}"""
"""As of a tab behind others: no frame comes."""
HIDDEN = """() => {
  const belief = document.getElementById("belief").getBoundingClientRect();
  const bar = document.querySelector(".bar").getBoundingClientRect();
  return Math.max(bar.top - belief.top, belief.bottom - bar.bottom);
}"""
"""How much of the first words of the status line is outside of it."""
SPILLED = f"{WIDTH} - screen.width"
MANY = 200
"""Codes that come at once."""
COUNT_ROWS = """() => {
  window.counted = [];
  const body = document.getElementById("quotes-body");
  const look = () => {
    counted.push(body.children.length);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""
"""How many rows there are when each frame begins."""
MOST_MADE = "() => Math.max(...counted.slice(1).map((count, i) => count - counted[i]))"
"""Rows that were made in one frame, at most."""
COUNT_MOVES = """() => {
  window.moves = [];
  new MutationObserver((records) => {
    for (const { addedNodes } of records) moves.push(...addedNodes);
  }).observe(document.getElementById("quotes-body"), { childList: true });
}"""
"""The rows that are put somewhere from now on."""
IS_PAINTED = "(row) => row.firstChild.checkVisibility({ contentVisibilityAuto: true })"
EDGES = """(rows) => [...document.querySelectorAll(rows)].map(
  (row) => [...row.children].map((cell) => cell.getBoundingClientRect().right))"""
"""Where the cells of each row end."""
FILLED = """() => ["quotes", "selected", "side", "dock"].map((id) => document.getElementById(id))
  .filter((each) => each.checkVisibility())
  .map((each) => each.getBoundingClientRect())
  .map(({ width, height }) => [Math.round(width), Math.round(height)])"""


class StageCase(SynchronousTestCase):
    """Each test looks at stages of its own."""

    def stage(self, scene: str | Scene, *looks: str, **more: Any) -> Stage:
        require_chromium()
        size, language, theme = (*looks, *("desk", "en", "light")[len(looks) :])
        shown = SCENES[scene] if isinstance(scene, str) else scene
        stage = chromium(self).stage(shown, size, language, theme, **more)
        self.addCleanup(lambda: self.assertEqual(stage.faults, []))
        self.addCleanup(stage.close)
        return stage


class FrameTests(StageCase):
    """What fits where."""

    def test_no_figure_is_cut_at_any_size(self) -> None:
        for size in SIZES:
            for language, scene in (("zh", "longest"), ("en", "longest"), ("en", "stale")):
                stage = self.stage(scene, size, language)
                where = f"{scene} {size} {language}"
                self.assertEqual(stage.page.evaluate(CUT), [], where)
                self.assertLessEqual(stage.page.evaluate(SPILLED), 0, where)
                if size == "phone":
                    stage.page.locator(".panes [data-pane=chart]").click()
                    self.assertEqual(stage.page.evaluate(CUT), [], f"{where} chart")

    def test_whether_it_can_be_believed_is_read_whole_on_the_narrowest_desk(self) -> None:
        for scene in ("backoff", "stale"):
            page = self.stage(scene, viewport={"width": 1180, "height": 720}).page
            self.assertLessEqual(page.evaluate(HIDDEN), 0, scene)
            self.assertLessEqual(page.evaluate(f"{WIDTH} - innerWidth"), 0, scene)

    def test_every_size_is_filled(self) -> None:
        for size, (width, height) in SIZES.items():
            stage = self.stage("ready", size, "zh")
            taken = sum(w * h for w, h in stage.page.evaluate(FILLED))
            self.assertGreater(taken, 0.85 * width * height, size)
        stage = self.stage("ready", "phone", "zh")
        stage.page.locator("#quotes-body tr").first.click()
        box = stage.page.locator("#chart").bounding_box()
        self.assertGreaterEqual(box["height"] if box else 0, 220)

    def test_a_zoom_of_200_percent_is_a_phone_that_scrolls(self) -> None:
        stage = self.stage("ready", viewport={"width": 720, "height": 450})
        page = stage.page
        self.assertEqual(page.evaluate(CUT), [])
        self.assertLessEqual(page.evaluate(SPILLED), 0)
        page.locator(".panes [data-pane=chart]").click()
        box = page.locator("#chart").bounding_box()
        self.assertGreaterEqual(box["height"] if box else 0, 220)

    def test_a_finger_meets_44_pixels(self) -> None:
        for scene, size in (("alarms", "tablet"), ("replay", "phone"), ("fatal", "phone")):
            stage = self.stage(scene, size)
            page = stage.page
            panes = ("list", "chart", "board", "alarms") if scene == "replay" else ()
            for pane in panes:
                page.locator(f".panes [data-pane={pane}]").click()
                self.assertEqual(page.evaluate(SMALL), [], f"{scene} {size} {pane}")
            for fold in page.locator(".fold").all():
                fold.evaluate("(each) => each.click()")
            self.assertEqual(page.evaluate(SMALL), [], f"{scene} {size}")
        for dialog in ("keys", "token", "groups-dialog", "credentials", "bars-table"):
            page.evaluate("(id) => document.getElementById(id).showModal()", dialog)
            self.assertEqual(page.evaluate(SMALL), [], dialog)
            page.evaluate("(id) => document.getElementById(id).close()", dialog)

    def test_addresses_lead_to_codes_and_views(self) -> None:
        page = self.stage("ready").page
        page.goto("http://desk.test/#/2317/5m")
        expect(page.locator("#selected-first")).to_have_text("2317")
        expect(page.locator("[data-interval='5m']")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("o")
        expect(page.locator("#ops")).to_be_visible()
        expect(page.locator("#market")).to_be_hidden()
        self.assertTrue(page.url.endswith("#/ops"))
        page.go_back()
        expect(page.locator("#selected-first")).to_have_text("2317")
        page.goto("http://desk.test/#/TXFL6%2FTXFA7")
        expect(page.locator("#selected-first")).to_have_text("TXFL6/TXFA7")
        expect(page.locator("#selected-price")).to_have_text("\u221242")
        expect(page.locator("#selected-percent")).to_contain_text("\u2013")

    def test_operations_can_be_where_one_begins(self) -> None:
        page = self.stage("operations").page
        expect(page.locator("#ops")).to_be_visible()
        page.keyboard.press("m")
        expect(page.locator("#selected-price")).to_have_text("31,268")

    def test_the_clock_is_the_exchanges(self) -> None:
        page = self.stage("ready").page  # the browser is in New York
        expect(page.locator("#clock")).to_have_text("10:42:17")
        expect(page.locator("#hours")).to_contain_text("3:02:43")
        expect(page.locator("#book-time")).to_have_text("10:42:17")

    def test_a_time_without_a_zone_is_taipeis(self) -> None:
        stage = self.stage("ready")
        depth = {
            "code": "TXFR1",
            "datetime": "2026-12-01T10:42:20.5",
            "bid_price": [31268],
            "bid_volume": [2],
        }
        stage.hear([("market_bidask", depth)])
        expect(stage.page.locator("#book-time")).to_have_text("10:42:20")

    def test_the_title_goes_on_while_nobody_sees_the_page(self) -> None:
        stage = self.stage("ready")
        stage.page.evaluate(HIDE)
        tick = {
            "code": "TXFR1",
            "datetime": "2026-12-01T10:42:18+08:00",
            "price": 31270,
            "price_chg": 150,
        }
        stage.hear([("market_tick", tick)])
        expect(stage.page).to_have_title("31,270 ▲150 TXFR1 · sjgateway")
        stage.hear([("market_tick", {**tick, "simtrade": True})])
        expect(stage.page).to_have_title("Trial 31,270 ▲150 TXFR1 · sjgateway")

    def test_a_frame_draws_before_it_writes(self) -> None:
        done = self.stage("ready").page.evaluate("""async () => {
            const { drawInNextFrame, inNextFrame } = await import("/static/ui/frame.js");
            return new Promise((resolve) => {
                const done = [];
                inNextFrame(() => { done.push("written"); resolve(done); });
                drawInNextFrame(() => done.push("drawn"));
            });
        }""")
        self.assertEqual(done, ["drawn", "written"])

    def test_green_can_be_up(self) -> None:
        page = self.stage("ready").page
        price = page.locator("#selected-price")
        expect(price).to_have_css("color", "rgb(195, 20, 45)")
        page.keyboard.press("?")
        page.locator("#green-up").check()
        expect(price).to_have_css("color", "rgb(0, 113, 74)")
        page.reload()
        expect(price).to_have_css("color", "rgb(0, 113, 74)")

    def test_who_forces_colors_has_a_chart_all_the_same(self) -> None:
        page = self.stage("ready", forced_colors="active").page
        found = page.evaluate("""async () => {
            const { colors } = await import("/static/ui/theme.js");
            return [colors.ink, colors.panel, getComputedStyle(chart).backgroundColor];
        }""")
        self.assertEqual(found, ["rgb(29, 30, 34)", "rgb(255, 254, 252)", "rgb(255, 254, 252)"])

    @untraced
    def test_nothing_shuts_anybody_out(self) -> None:
        looks = (
            ("ready", "desk", "en", "dark"),
            ("lines", "desk", "zh", "light"),
            ("stale", "wide", "zh", "light"),
            ("closed", "tablet", "en", "light"),
            ("longest", "phone", "zh", "dark"),
            ("gone", "desk", "zh", "dark"),
            ("custom", "tablet", "zh", "light"),
        )
        for scene, *look in looks:
            self.assertEqual(barriers(self.stage(scene, *look).page), [], scene)


class ListTests(StageCase):
    def first_codes(self, page, count: int = 3) -> list[str]:
        # The text of what is out of view is not rendered, and a row that has just moved may be.
        return page.locator("#quotes-body .first").all_text_contents()[:count]

    def test_changes_are_from_the_reference_and_limits_are_marked(self) -> None:
        stage = self.stage("ready")
        page = stage.page
        row = page.locator("#quotes-body tr", has_text="5274")
        expect(row).to_have_attribute("data-limit", "up")
        expect(row.locator(".label")).to_have_text("Limit ▲")
        expect(row.locator(".change")).to_have_text("1,120+9.97%")
        trial = page.locator("#quotes-body tr", has_text="1301")
        expect(trial.locator(".label")).to_have_text("Trial")
        expect(trial.locator(".volume")).to_have_text("\u2013")
        silent = page.locator("#quotes-body tr", has_text="3481")
        expect(silent).to_have_attribute("data-old", "yes")
        expect(silent.locator(".volume")).to_have_text("3 min")
        page.locator("#quotes-body tr", has_text="5274").click()
        expect(page.locator("#book [data-limit=up]").first).to_have_text("12,350")
        spread = page.locator("#facts-list div", has_text="Spread")
        expect(spread).to_be_visible()
        nobody = {"ask_price": [0], "ask_volume": [0], "bid_price": [12350], "bid_volume": [9]}
        stage.hear([("market_bidask", {"code": "5274", **nobody})])
        expect(spread).to_have_count(0)

    def test_sorting_goes_both_ways_stays_and_ends(self) -> None:
        stage = self.stage("ready", "wide")
        page = stage.page
        page.locator("#groups button", has_text="Stocks").click()
        head = page.locator("[data-sort=change]")
        head.click()
        self.assertEqual(self.first_codes(page, 1), ["5274"])
        page.reload()
        expect(page.locator("th[aria-sort=descending]")).to_have_text("Change")
        expect(page.locator("#quotes-body .first").first).to_have_text("5274")
        head.click()
        self.assertEqual(self.first_codes(page, 1), ["2618"])
        head.click()
        expect(page.locator("th[aria-sort]")).to_have_count(0)

    def test_rows_keep_their_places_under_the_pointer(self) -> None:
        stage = self.stage("ready", "wide")
        page = stage.page
        page.locator("#groups button", has_text="Stocks").click()
        page.locator("[data-sort=price]").click()
        before = self.first_codes(page)
        page.locator("#quotes-body tr").nth(1).hover()
        stage.hear([invented.tick("2412", 99999, 25, 30000), invented.tick("9999", 5, 1, 1)])
        expect(page.locator("#quotes-body tr", has_text="99,999")).to_have_count(1)
        expect(page.locator("#quotes-body tr").last).to_contain_text("9999")
        self.assertEqual(self.first_codes(page), before)
        page.keyboard.press("r")
        self.assertEqual(self.first_codes(page, 1), ["2412"])

    def test_codes_of_ones_own_are_dragged_to_other_places(self) -> None:
        kept = {"groups": '[{"name":"","codes":["2330","2317","0050"]}]'}
        page = self.stage(evolve(SCENES["ready"], kept=kept), "wide").page
        page.locator("#groups button", has_text="Mine 3").click()
        rows = page.locator("#quotes-body tr")
        rows.nth(2).drag_to(rows.nth(0), target_position={"x": 20, "y": 5})
        expect(page.locator("#quotes-body .first").first).to_have_text("0050")
        self.assertEqual(self.first_codes(page), ["0050", "2330", "2317"])
        rows.nth(0).locator("button").focus()
        page.keyboard.press("Alt+ArrowDown")
        self.assertEqual(self.first_codes(page), ["2330", "0050", "2317"])

    def test_stars_groups_and_the_filter(self) -> None:
        page = self.stage("ready", "wide").page
        page.locator("#groups button", has_text="Mine").click()
        expect(page.locator("#quotes-why")).to_contain_text("No code has a star")
        page.locator("#quotes-cure").click()
        page.get_by_role("button", name="2330").click()
        page.keyboard.press("s")
        expect(page.locator("#star")).to_have_attribute("aria-pressed", "true")
        page.locator("#groups button", has_text="Mine 1").click()
        page.reload()
        expect(page.locator("#quotes-body tr")).to_have_count(1)
        page.locator("#groups button", has_text="All").click()
        page.keyboard.press("/")
        page.keyboard.type("２３１７")
        expect(page.locator("#quotes-body tr")).to_have_count(1)
        page.keyboard.type("x")
        expect(page.locator("#quotes-why")).to_contain_text("No code matches")

    def test_many_codes_are_shown_some_in_a_frame_and_painted_while_they_are_in_view(self) -> None:
        stage = self.stage("ready", "wide")
        page, rows = stage.page, stage.page.locator("#quotes-body tr")
        before = rows.count()
        page.evaluate(COUNT_ROWS)
        stage.hear(invented.tick(f"{number}", 50, 1, 9) for number in range(9000, 9000 + MANY))
        expect(rows).to_have_count(before + MANY)
        self.assertIn(page.evaluate(MOST_MADE), range(1, 21))
        last = rows.last
        expect(last).to_contain_text("9199")  # whoever reads or searches finds it all the same
        expect(page.get_by_role("rowheader", name="9199")).to_have_count(1)
        self.assertEqual([each.evaluate(IS_PAINTED) for each in (rows.first, last)], [True, False])
        rows.first.locator("button").focus()
        page.keyboard.press("End")
        expect(last.locator("button")).to_be_focused()
        expect(page.locator("#selected-first")).to_have_text("9199")
        page.evaluate(PAINTED)
        self.assertTrue(last.evaluate(IS_PAINTED))

    def test_only_rows_that_have_another_place_are_moved(self) -> None:
        kept = {"groups": '[{"name":"","codes":["2330","2317","0050","2454","2412"]}]'}
        page = self.stage(evolve(SCENES["ready"], kept=kept), "wide").page
        page.locator("#groups button", has_text="Mine 5").click()
        page.evaluate(COUNT_MOVES)
        page.locator("#quotes-body button").nth(1).focus()
        page.keyboard.press("Alt+ArrowDown")
        self.assertEqual(self.first_codes(page), ["2330", "0050", "2317"])
        self.assertEqual(
            page.evaluate("() => moves.map((row) => row.innerText.slice(0, 4))"), ["2317"]
        )
        expect(page.locator("#quotes-body button").nth(2)).to_be_focused()

    def test_events_that_are_no_quotes_are_rows_that_lead_to_them(self) -> None:
        page = self.stage("custom").page
        row = page.locator("#quotes-body tr", has_text="weather")
        expect(row.locator(".label")).to_have_text("custom")
        expect(row.locator(".price")).to_have_text("\u2013")
        expect(page.locator("#chart-why")).to_contain_text(re.compile(r"\d\d events/s"))
        row.click()
        self.assertTrue(page.url.endswith("#/ops/events"))

    def test_what_is_old_looks_old_everywhere(self) -> None:
        page = self.stage("gone").page
        expect(page.locator("#belief")).to_contain_text("Gateway gone")
        expect(page.locator("#quotes-body tr:not([data-old])")).to_have_count(0)
        for part in ("#selected", "#side", "#dock"):
            expect(page.locator(part)).to_have_attribute("data-old", "yes")
        expect(page.locator("#selected-mark")).to_contain_text("◷")
        for figure in ("#ratio .atAsk", "#tape-body [data-side='1']"):
            expect(page.locator(figure).first).to_have_css("color", "rgb(138, 90, 96)")
        expect(page.locator("#tape-gap")).to_contain_text("no data since 10:42:17")
        closed = self.stage("closed").page
        expect(closed.locator("#belief")).to_have_text("Closed until 15:00")
        expect(closed.locator("#selected-mark")).to_have_text("close 10:32")
        row = closed.locator("#quotes-body tr", has_text="2330")
        expect(row.locator(".label")).to_have_text("close 10:32")
        expect(closed.locator("#side")).not_to_have_attribute("data-old", "yes")

    def test_an_empty_list_says_why(self) -> None:
        for scene, words in (("token", "wants a token"), ("starting", "No quote has come")):
            expect(self.stage(scene).page.locator("#quotes-why")).to_contain_text(words)


class ChartTests(StageCase):
    ROWS = """() => [...document.querySelectorAll("#bars-body tr")]
      .map((row) => [...row.children].map((cell) => cell.textContent.replaceAll(",", "")))"""

    def test_its_bars_are_those_of_the_gateway_and_live_trades(self) -> None:
        stage = self.stage("ready")
        page = stage.page
        told = invented.bars("TXFR1", "1m")["bars"]
        page.locator("#as-table").click()
        newest, *older = page.evaluate(self.ROWS)
        for row, place in zip(older[:40], range(len(told["time"]) - 2, 0, -1), strict=False):
            columns = ("open", "high", "low", "close", "volume")
            self.assertEqual([float(each) for each in row[1:]], [told[c][place] for c in columns])
        self.assertEqual(newest[0], "12/01 10:42")
        page.keyboard.press("Escape")
        more = {"datetime": "2026-12-01T10:43:05+08:00", "volume": 7}
        stage.hear([invented.tick("TXFR1", 31300, 180, 78419, **more)])
        expect(page.locator("#legend")).to_contain_text("10:43")
        expect(page.locator("#legend")).to_contain_text("C 31,300")
        expect(page.locator("#legend")).to_contain_text("V 7")

    def test_keys_and_wheel_move_and_read_it(self) -> None:
        page = self.stage("ready").page
        chart = page.locator("#chart")
        chart.focus()
        page.keyboard.press("End")
        expect(page.locator("#readout")).to_contain_text("12/01 10:42")
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#readout")).to_contain_text("12/01 10:41")
        page.keyboard.press("Shift+ArrowLeft")
        expect(page.locator("#readout")).to_contain_text("12/01 10:31")
        described = page.locator("#chart-described")
        before = described.inner_text()
        chart.hover()
        page.mouse.wheel(0, 400)
        expect(described).not_to_have_text(before)
        expect(page.locator("#newest")).to_be_hidden()
        page.keyboard.press("Alt+ArrowLeft")
        newest = page.locator("#newest").bounding_box()
        assert newest
        legend = page.locator("#legend")
        x, y = newest["x"] + newest["width"] / 2, newest["y"]
        page.mouse.move(x, y - 10)
        page.evaluate(PAINTED)
        beside = legend.inner_text()
        page.mouse.move(x, y + newest["height"] / 2)
        page.evaluate(PAINTED)
        self.assertEqual(legend.inner_text(), beside, "the crosshair is where the pointer is")
        page.keyboard.press("0")
        expect(page.locator("#newest")).to_be_hidden()
        page.keyboard.press("4")
        expect(described).to_contain_text("5 min")
        page.keyboard.press("l")
        expect(page.locator("[data-kind=line]")).to_have_attribute("aria-pressed", "true")

    def test_alarms_are_lines_that_are_moved_and_removed_by_keys_and_mouse(self) -> None:
        page = self.stage("lines").page
        kept = """() => JSON.parse(localStorage["sjgateway.alarms"])
          .filter(({ code }) => code.startsWith("TXF")).map(({ kind, value }) => [kind, value])"""
        page.locator("#chart").focus()
        said = page.locator("#readout")
        for key, alarm in (
            ("ArrowDown", "Alarm ▲ 31,285"),
            ("ArrowDown", "Alarm ▼ 31,180"),
            ("Shift+ArrowUp", "Alarm ▼ 31,181"),
        ):
            page.keyboard.press(key)
            expect(said).to_have_text(alarm)
        self.assertEqual(page.evaluate(kept), [["above", 31285], ["below", 31181]])
        page.keyboard.press("Delete")
        self.assertEqual(page.evaluate(kept), [["above", 31285]])
        expect(page.locator("#alarms-count")).to_have_text("2")
        box = page.locator("#chart").bounding_box()
        assert box
        x, y = box["x"] + 100, box["y"]
        while not page.locator("#chart[data-over]").count():
            y += 4
            self.assertLess(y, box["y"] + box["height"])
            page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x, y + box["height"] * 0.5, steps=3)
        page.mouse.up()
        [[kind, value]] = page.evaluate(kept)
        self.assertEqual(kind, "below", "it is crossed from the other side now")
        self.assertLess(value, 31268)
        page.locator("#bell").click()
        expect(page.locator("#alarms-value")).to_have_value("31268")
        first = page.locator("#alarms-list input").first
        first.focus()
        page.keyboard.press("Space")
        expect(page.locator("#alarms-count")).to_have_text("1")
        expect(first).to_be_focused()

    def test_a_finger_chooses_an_alarm_and_removes_it_by_the_button_on_its_line(self) -> None:
        page = self.stage("lines", "phone").page
        page.locator(".panes [data-pane=chart]").click()
        page.evaluate(PAINTED)
        box = page.locator("#chart").bounding_box()
        assert box
        button = page.locator("#line-remove")
        expect(button).to_be_hidden()
        for y in range(4, int(box["height"]), 20):
            page.touchscreen.tap(box["x"] + 150, box["y"] + y)
            page.evaluate(PAINTED)
            if button.is_visible():
                break
        expect(button).to_have_attribute("aria-label", "Remove: Alarm ▲ 31,285")
        button.tap()
        expect(button).to_be_hidden()
        expect(page.locator("#chart")).to_be_focused()
        self.assertNotIn("31285", page.evaluate("localStorage['sjgateway.alarms']"))

    def test_something_is_drawn_in_every_kind_of_bar(self) -> None:
        page = self.stage("ready", "wide", "zh").page
        drawn = """() => [...document.querySelectorAll("#chart canvas")].slice(0, 2).every(
          (canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
              .filter((value, i) => i % 4 === 3 && value).length > 100)"""
        page.keyboard.press("a")
        for key in "1234567":
            page.keyboard.press(key)
            page.wait_for_function(drawn)


class BoardTests(StageCase):
    def test_rows_are_strikes_and_what_is_in_the_money_is_shaded(self) -> None:
        page = self.stage("ready", "wide").page
        row = page.locator("#board tr", has_text="31,000")
        expect(row.locator(".last.itm")).to_have_count(1)
        expect(row.locator("td").first).to_have_class("figure volume itm")
        expect(page.locator("#board .spot")).to_contain_text("TAIEX 31,251.08")
        self.assertIn(
            "31,200",
            page.locator("#board .spot").evaluate("(row) => row.previousElementSibling.innerText"),
        )
        page.locator("#board td[tabindex='0']").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Shift+Enter")
        expect(page.locator("#selected-first")).to_have_text("TXO30700X6")
        expect(page.locator("#board [data-chosen]")).to_have_count(1)

    def test_a_strike_that_is_crossed_moves_one_line_and_a_language_none(self) -> None:
        stage = self.stage("ready", "wide")
        page = stage.page
        page.evaluate("window.rows = [...document.querySelectorAll('#board tbody tr:not(.spot)')]")
        told = {"code": "TXO30600L6", "price": 790, "underlying_price": 31_350.5}
        stage.hear([("market_tick", told | {"datetime": "2026-12-01T10:42:20.5"})])
        expect(page.locator("#board .spot")).to_contain_text("TAIEX 31,350.50")
        above = "(row) => row.previousElementSibling.innerText"
        self.assertIn("31,300", page.locator("#board .spot").evaluate(above))
        page.locator("[data-language]:not([hidden])").first.click()
        expect(page.locator("#board th.strike").first).to_have_text("履約價")
        self.assertTrue(
            page.evaluate(
                "rows.length > 9 && rows.every((row) => row.isConnected)"
                " && document.querySelectorAll('#board tbody tr').length === rows.length + 1"
            )
        )

    def test_a_row_is_a_box_of_its_own_and_as_wide_as_the_heads(self) -> None:
        for size in ("desk", "wide"):
            page = self.stage("ready", size).page
            rows = page.locator("#board tbody tr")
            expect(rows).to_have_count(14)
            contained = rows.first.evaluate("(row) => getComputedStyle(row).contain")
            self.assertEqual(contained, "strict")
            heads = page.evaluate(EDGES, "#board thead tr")
            for row in page.evaluate(EDGES, "#board tbody tr:not(.spot)"):
                self.assertEqual(len(row), len(heads[0]))
                for ours, head in zip(row, heads[0], strict=True):
                    self.assertAlmostEqual(ours, head, delta=1)

    def test_many_expiries_begin_with_the_nearest_and_the_chosen_one_is_in_view(self) -> None:
        stage = self.stage("ready", "tablet")
        page = stage.page
        ends = {
            "TX131000L6": "2026-12-02",
            "TX231000L6": "2026-12-09",
            "TXO31000A7": "2027-01-20",
            "TXO31000B7": "2027-02-17",
            "TXO31000C7": "2027-03-17",
        }
        told = ({"code": code, "delivery_date": day} for code, day in ends.items())
        stage.hear(("market_contract", each) for each in told)
        tabs = page.locator("#expiries button")
        expect(tabs).to_have_count(6)
        expect(page.locator("#expiries [aria-pressed=true]")).to_have_text("12W1 12/02")
        self.assertEqual(page.evaluate(CUT), [])
        page.locator("#board td[tabindex='0']").focus()
        for _ in range(5):
            page.keyboard.press("Alt+ArrowRight")
        expect(tabs.last).to_have_attribute("aria-pressed", "true")
        expect(tabs.last).to_be_in_viewport(ratio=1)

    def test_a_part_of_the_strikes_is_told_as_such_and_the_money_is_a_key_away(self) -> None:
        page = self.stage("ready", "wide").page
        expect(page.locator("#board-count")).to_have_text("13 of 84 strikes")
        board = page.locator("#board")
        at_money = board.evaluate("(box) => box.scrollTop")
        self.assertGreater(at_money, 0)
        board.hover()
        page.mouse.wheel(0, -1000)
        page.wait_for_function("() => document.getElementById('board').scrollTop === 0")
        page.keyboard.press("0")
        self.assertEqual(board.evaluate("(box) => box.scrollTop"), at_money)
        page.locator("#board td[tabindex='0']").focus()
        for _ in range(9):
            page.keyboard.press("ArrowRight")
        page.set_viewport_size({"width": 1000, "height": 900})  # fewer columns
        expect(page.locator("#board td[tabindex='0']")).to_have_count(1)
        expect(page.locator("#board th[aria-label='Calls Last']")).to_have_count(1)

    def test_a_phone_has_two_figures_in_a_cell_around_the_money(self) -> None:
        page = self.stage("ready", "phone").page
        page.set_viewport_size({"width": 390, "height": 500})
        page.locator(".panes [data-pane=board]").click()
        row = page.locator("#board tr", has_text="31,200")
        expect(row.locator("td")).to_have_count(4)
        first = row.locator("td").first
        expect(first.locator("span")).to_have_count(2)
        expect(first).to_have_accessible_description("in the money")
        expect(page.locator("#board .spot")).to_be_in_viewport()
        page.evaluate("window.scrollTo(0, 0)")
        expect(page.locator("#board .spot")).not_to_be_in_viewport()
        page.locator("#to-money").click()
        expect(page.locator("#board .spot")).to_be_in_viewport()
        self.assertEqual(page.evaluate(CUT), [])

    def test_without_options_the_chart_has_the_room(self) -> None:
        few = Scene(events=tuple(invented.events()[:9]))
        page = self.stage(few).page
        expect(page.locator("#dock")).to_be_hidden()
        folded = self.stage("ready").page
        before = folded.locator("#chart").bounding_box()
        folded.keyboard.press("b")
        expect(folded.locator("#board")).to_be_hidden()
        after = folded.locator("#chart").bounding_box()
        self.assertGreater(after["height"], before["height"] + 100)


class HostileTests(StageCase):
    def test_odd_payloads_do_no_harm(self) -> None:
        odd = [
            ("market_tick", {"code": "<img src=x onerror=alert(1)>", "price": 5}),
            ("market_tick", {"code": "A\u202eB", "price": 5}),
            ("market_tick", {"code": "X" * 10_000, "price": 5}),
            ("market_tick", {"code": "\ud800", "price": 1e308}),
            ("market_tick", {"code": "TXFR1", "price": {"a": 1}, "datetime": 5}),
            ("market_bidask", {"code": "TXFR1", "bid_price": "x", "ask_volume": {"a": 1}}),
            (
                "market_contract",
                {"code": "TXFR1", "tick": "x", "option_right": 5, "strike_price": []},
            ),
            ("market_contract", {"code": "TXFR1", "name": {"toString": None}}),
            ("market_snapshot", {"code": "TXFR1", "close": None, "datetime": "x"}),
        ]
        stage = self.stage("ready")
        stage.hear(odd)
        expect(stage.page.locator("#quotes-body tr", has_text="lert(1)")).to_have_count(1)
        expect(stage.page.locator("#selected-price")).to_have_text("31,268")
        expect(stage.page.locator("#quotes-body tr", has_text="XXXX")).to_have_count(0)
        self.assertLessEqual(stage.page.evaluate(SPILLED), 0)
