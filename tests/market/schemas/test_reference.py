"""docs/events.md in both languages, and docs/events.d.ts."""

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.market.schemas.catalogue import ASKED, TOLD
from gateway.market.schemas.reference import texts

ROOT = Path(__file__).parents[3]


class ReferenceTests(SynchronousTestCase):
    def test_they_are_those_that_are_made(self) -> None:
        for name, text in texts().items():
            written = (ROOT / "docs" / name).read_text("utf-8")
            self.assertEqual(written, text, "run python -m gateway.market.schemas.reference")

    def test_both_documents_have_each_event_and_field_once(self) -> None:
        english, chinese = (texts()[name] for name in ("events.md", "events.zh-TW.md"))
        for form in (r"^### `(.+)`$", r"^\| `(.+?)` \|"):
            found = re.findall(form, english, re.MULTILINE)
            self.assertEqual(found, re.findall(form, chinese, re.MULTILINE))
        self.assertEqual(re.findall(r"^### `(.+)`$", english, re.MULTILINE), list(TOLD))

    def test_a_name_of_a_class_of_python_is_that_of_the_event(self) -> None:
        """`exit_code` is a name of ours only: `exitCode` is sent."""
        made = texts()
        for text in made.values():
            self.assertIn("exitCode", text)
            self.assertNotIn("exit_code", text)

    def test_each_event_has_a_function_in_typescript(self) -> None:
        declared = re.findall(r'^  "(.+?)": \(', texts()["events.d.ts"], re.MULTILINE)
        self.assertEqual(declared, [*TOLD, *ASKED])

    def test_a_type_comes_before_it_is_used(self) -> None:
        text = texts()["events.d.ts"]
        names = re.findall(r"^export interface (\w+)", text, re.MULTILINE)
        self.assertEqual(len(names), len(set(names)))
        for parent in re.findall(r"extends (\w+)", text):
            self.assertIn(parent, names)
