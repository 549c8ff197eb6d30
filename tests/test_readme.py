"""The READMEs keep to the truth."""

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.config import options
from gateway.web.routes import ROUTES

ROOT = Path(__file__).parents[1]
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-TW.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (`--[^|]+|—) \| ([^|]+) \| ([^|]*) ?\| (.*) \|$", re.MULTILINE)


def rows(readme: str) -> list[tuple[str, list[str], str]]:
    """Option, variables and default of each row of the tables of options."""
    return [
        (name.strip("`"), re.findall(r"`(\w+)`", variables), default.strip().strip("`"))
        for name, variables, default, _ in ROW.findall(readme)
    ]


class ReadmeTests(SynchronousTestCase):
    def test_the_tables_list_every_option(self) -> None:
        table = [
            ("—" if each.secret else f"--{each.name}", list(each.variables), each.default)
            for each in options()
        ]
        self.assertEqual(rows(ENGLISH), table)
        self.assertEqual(rows(CHINESE), table)

    def test_the_english_one_says_what_help_says(self) -> None:
        said = [meaning.replace("\\", "") for *_, meaning in ROW.findall(ENGLISH)]
        self.assertEqual(said, [each.help for each in options()])

    def test_both_list_every_route(self) -> None:
        for route in ROUTES:
            line = f"`{route.method} {route.path}"
            self.assertTrue(line in ENGLISH and line in CHINESE, line)

    def test_both_have_the_same_commands(self) -> None:
        blocks = re.compile(r"```sh\n(.*?)```", re.DOTALL)
        self.assertEqual(blocks.findall(ENGLISH), blocks.findall(CHINESE))

    def test_continuous_integration_runs_the_test_command(self) -> None:
        (command,) = re.findall(r"^python3 .*-m tests$", ENGLISH, re.MULTILINE)
        self.assertIn(command, (ROOT / ".ci" / "run").read_text().splitlines())

    def test_links_lead_somewhere(self) -> None:
        for readme in (ENGLISH, CHINESE):
            for target in re.findall(r"\]\(([^)#:]+)\)", readme):
                self.assertTrue((ROOT / target).exists(), target)
