"""Each state of the page once, in sizes, languages and themes that take turns: nobody is shut out,
nothing is cut, and all of it can be reached by keys.

Leaves a picture of each in `test-output`.
"""

from itertools import product

from playwright.sync_api import Page

from benchmarks.scenes import SCENES
from benchmarks.shots import LANGUAGES, SIZES, THEMES
from tests.interop.browser import OUTPUT, barriers
from tests.interop.test_desk import CUT, SPILLED, StageCase
from tests.untraced import untraced

ZOOMED = "zoomed"
"""A desk of 1440 x 900 at 200 %."""
LOOKS = list(product((*SIZES, ZOOMED), LANGUAGES, THEMES))
STRIDE = 7
"""From the look of one state to that of the next; it has no divisor with their number."""

REACHABLE = """() => [...document.querySelectorAll(
    "a[href], button, input, select, summary, [tabindex='0']")]
  .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.disabled
    && each.tabIndex >= 0)
  .map((each) => each.dataset.reached ??= String(Math.random()))"""
"""What a person can do something with; each gets a name of its own."""
FOCUSED = """() => {
  const { activeElement: focused } = document;
  if (focused === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(focused);
  const isSeen = outlineStyle !== "none" && parseFloat(outlineWidth) > 0;
  return [focused.dataset.reached ?? "", isSeen ? "" : focused.outerHTML.slice(0, 80)];
}"""
"""The name of what has the focus, and what it is if that is not seen; null: nothing has it."""


class StateTests(StageCase):
    @untraced
    def test_each_state_is_whole_and_shuts_nobody_out(self) -> None:
        found = {}
        OUTPUT.mkdir(exist_ok=True)
        for number, (name, scene) in enumerate(SCENES.items()):
            size, language, theme = LOOKS[number * STRIDE % len(LOOKS)]
            zoomed = {"viewport": {"width": 720, "height": 450}} if size == ZOOMED else {}
            stage = self.stage(scene, "desk" if zoomed else size, language, theme, **zoomed)
            picture = f"{name}-{size}-{language}-{theme}"
            stage.page.screenshot(path=OUTPUT / f"{picture}.png")
            faults = [*stage.page.evaluate(CUT), *barriers(stage.page)]
            if (spilled := stage.page.evaluate(SPILLED)) > 0:
                faults.append(f"{spilled} pixels wider than the screen")
            found[picture] = faults
            stage.close()
        self.assertEqual({name: faults for name, faults in found.items() if faults}, {})

    def test_keys_reach_everything_and_show_where_they_are(self) -> None:
        for scene, size in (("pause", "desk"), ("ready", "wide"), ("alarms", "phone")):
            page = self.stage(scene, size).page
            wanted = set(page.evaluate(REACHABLE))
            reached, unseen = tab_through(page, wanted)
            missed = page.evaluate(
                """(names) => [...document.querySelectorAll("[data-reached]")]
                  .filter((each) => names.includes(each.dataset.reached))
                  .map((each) => each.outerHTML.slice(0, 120))""",
                sorted(wanted - reached),
            )
            self.assertEqual((missed, unseen), ([], []), scene)


def tab_through(page: Page, wanted: set[str]) -> tuple[set[str], list[str]]:
    """What Tab reaches, once around, and what of it does not show the focus."""
    reached: set[str] = set()
    unseen: list[str] = []
    for _ in range(2 * len(wanted)):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None:  # behind the last one
            continue
        name, hidden = focused
        if name in reached:
            break
        reached.add(name)
        unseen += [hidden] if hidden else []
    return reached, unseen
