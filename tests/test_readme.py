"""The READMEs keep to the truth."""

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.alerts.wording import CAUSES
from gateway.ops.alerts.wording import TEXTS as WORDS
from gateway.options import options, reference
from gateway.options.chinese import TEXTS

ROOT = Path(__file__).parents[1]
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-TW.md").read_text(encoding="utf-8")
WRITE = "run python -m gateway.options.reference"


class ReadmeTests(SynchronousTestCase):
    def test_the_table_of_options_is_the_one_that_is_made(self) -> None:
        for readme, language in ((ENGLISH, reference.ENGLISH), (CHINESE, reference.CHINESE)):
            self.assertIn(reference.essentials(language), readme, WRITE)
            self.assertEqual(reference.with_table(readme, language), readme, WRITE)

    def test_continuous_integration_runs_the_test_command(self) -> None:
        (command,) = re.findall(r"^python3 .*-m tests$", ENGLISH, re.MULTILINE)
        self.assertIn(f"{command} --all", (ROOT / ".ci" / "run").read_text().splitlines())


class OptionsTests(SynchronousTestCase):
    """docs/options.md, and the same in Chinese."""

    def test_they_are_those_that_are_made(self) -> None:
        for language in (reference.ENGLISH, reference.CHINESE):
            path = ROOT / "docs" / f"options{language.suffix}.md"
            self.assertEqual(path.read_text("utf-8"), reference.document(language), WRITE)

    def test_each_option_is_in_both_once(self) -> None:
        self.assertEqual(list(TEXTS), [each.key for each in options()])
        for language in (reference.ENGLISH, reference.CHINESE):
            rows = re.findall(r"^\| (?:`--|—)", reference.document(language), re.MULTILINE)
            self.assertEqual(len(rows), len(TEXTS))

    def test_each_text_is_whole_sentences(self) -> None:
        for each in options():
            self.assertRegex(each.help, r"^[A-Z].*\.$", each.name)
            self.assertRegex(TEXTS[each.key], "。$", each.name)

    def test_each_names_only_options_that_there_are(self) -> None:
        names = {f"--{each.name}" for each in options()}
        for each in options():
            for text in (each.help, TEXTS[each.key]):
                for name in re.findall(r"(?<!')--[a-z][a-z-]*(?!-|\w)", text):
                    self.assertIn(name, names, each.name)

    def test_one_word_is_used_for_the_worker_and_for_supervision(self) -> None:
        """In whatever we say in Chinese: README, options, alerts and the page."""
        for text in (CHINESE, reference.document(reference.CHINESE)):
            for word in ("看管", "監督", "工作程式", "行情程式", "程序"):
                self.assertNotIn(word, text)
        for file in (ROOT / "gateway" / "web" / "static" / "text" / "zh-TW").iterdir():
            for word in ("看管", "監督", "工作程式", "程序"):
                self.assertNotIn(word, file.read_text(encoding="utf-8"), file.name)
        for text in (*WORDS["zh-TW"].values(), *CAUSES["zh-TW"].values()):  # as a trader says it
            for word in ("看管", "監督", "工作程式", "worker", "程序"):
                self.assertNotIn(word, text)
