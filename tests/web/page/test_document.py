"""docs/page.md says what the page says: its words for whether it can be believed, and its keys."""

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.web.routes.test_page import TEXTS, source

ROOT = Path(__file__).parents[3]
PAGES = {"en": "docs/page.md", "zh-TW": "docs/page.zh-TW.md"}
UNKNOWN = "belief.asking"
"""What is shown in the first moments."""


def rows(text: str, chapter: str) -> list[str]:
    """The first cell of each row of the table in a chapter."""
    part = re.split(r"^#+ ", text, flags=re.MULTILINE)
    (found,) = [each for each in part if each.startswith(chapter)]
    return re.findall(r"^\| (.+?) \|", found, re.MULTILINE)[1:]


class PageTests(SynchronousTestCase):
    def test_each_word_of_belief_is_explained_as_the_page_writes_it(self) -> None:
        for language, name in PAGES.items():
            said = source(f"text/{language}/common.js")
            words = {
                re.sub(r" ?{\w+}", "", text)
                for key, _, text in TEXTS.findall(said)
                if key.startswith("belief.") and key != UNKNOWN
            }
            chapter = "Can it be believed?" if language == "en" else "現在能相信嗎？"
            cells = rows((ROOT / name).read_text("utf-8"), chapter)
            self.assertEqual({word for cell in cells for word in re.split(", |、", cell)}, words)

    def test_each_key_of_the_list_is_in_the_table(self) -> None:
        (listed,) = re.findall(r"const LIST = \[(.*?)\n\];", source("ui/keys.js"), re.DOTALL)
        keys = {key for row in re.findall(r'\["([^"]+)",', listed) for key in row.split()} - {"–"}
        for language, name in PAGES.items():
            chapter = "Keys" if language == "en" else "快速鍵"
            text = (ROOT / name).read_text("utf-8")
            cells = " ".join(rows(text, chapter)) + " `?`"
            typed = set(re.findall("`([^`]+)`", cells))
            wanted = {"-" if key == "−" else key for key in keys if key != "Alt"}
            self.assertEqual({key.removeprefix("Alt+") for key in typed}, wanted, name)
