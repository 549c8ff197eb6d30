"""What the documents for developers name is there: paths, test modules, the names of commands."""

import ast
import os
import re
import shlex
from pathlib import Path
from textwrap import dedent, indent
from types import SimpleNamespace
from typing import Any

from attrs import fields, frozen
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.scenarios import SCENARIOS
from gateway.app.command_line import Options
from gateway.ops.metrics.families import counter
from gateway.options import options
from gateway.options.option import declared, option
from tests.web.site import routes

ROOT = Path(__file__).parents[1]
TOP = {each.name for each in ROOT.iterdir()}
FOLDERS = ("gateway", "tests", "benchmarks", "examples", "docs", "deploy", "twisted", ".ci")
EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
QUOTED = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
PATH = re.compile(r"[\w./-]+(?:/|\.(?:py|md|js|mjs|json|tac|toml|ini|html|css))")
"""What looks like a file or a folder of ours: a module, or a name that ends with a slash."""
NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
"""What looks like a name of the source."""
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)#?([^)\s]*)\)")
"""Where a link leads: the file, and its chapter."""
CODE = re.compile(r"```.*?```|(\[`[^`\n]*`\])|`[^`\n]*`", re.DOTALL)
"""In which brackets are no links, but where it is what a link shows."""
ELSEWHERE = {"__init__.py", "main.py"}
"""Names of files of any folder."""


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def links(document: str) -> list[tuple[str, str]]:
    """Where its links lead: files, and chapters of them."""
    return LINK.findall(CODE.sub(lambda match: match[1] or "", document))


def chapters(document: str) -> set[str]:
    """The names by which links find the chapters of a document, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", document, flags=re.DOTALL), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def paths(document: str) -> set[str]:
    """What a document names as files and folders; those of a URL begin with a slash."""
    words = {word for quoted in QUOTED.findall(document) for word in quoted.split()}
    return {
        word.rstrip(",;")
        for word in words
        if PATH.fullmatch(word.rstrip(",;")) and not word.startswith(("/", ".venv", "~"))
    } - ELSEWHERE


class ContributingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.text = read("CONTRIBUTING.md")

    def test_each_path_exists(self) -> None:
        """From the root, with or without a suffix."""
        named = paths(self.text) | {
            word
            for word in QUOTED.findall(self.text)
            if word.partition("/")[0] in FOLDERS and " " not in word
        }
        self.assertIn("gateway/options/table.py", named)
        self.assertEqual({each for each in named if not (ROOT / each).exists()}, set())

    def test_each_module_of_tests_exists(self) -> None:
        named = re.findall(r"\btests(?:\.\w+)+", self.text)
        self.assertIn("tests.relay.test_log", named)
        for name in named:
            folders = [part for part in name.split(".") if part == part.lower()]
            path = ROOT.joinpath(*folders)
            there = path.is_dir() or path.with_suffix(".py").is_file()
            if not there and path.parent.with_suffix(".py").is_file():  # a test of a module
                there = folders[-1] in path.parent.with_suffix(".py").read_text()
            self.assertTrue(there, name)

    def test_each_test_that_is_run_alone_is_there(self) -> None:
        for module, case, name in re.findall(r"(tests[\w.]+?)\.([A-Z]\w+)\.(test_\w+)", self.text):
            source = read(f"{module.replace('.', '/')}.py")
            self.assertIn(f"class {case}(", source)
            self.assertIn(f"def {name}(", source)

    def test_what_is_named_in_a_file_is_in_it(self) -> None:
        for name, file in (
            ("rest_routes", "gateway/web/routes/route_table.py"),
            ("class Control", "gateway/contract.py"),
            ("def tell", "gateway/app/worker_events.py"),
            ("def _feed_changed", "gateway/app/worker_events.py"),
            ("STATES", "gateway/market/events.py"),
        ):
            self.assertIn(file, self.text)
            self.assertIn(name, read(file))

    def test_the_example_of_an_option_is_one(self) -> None:
        field, _ = (dedent(each) for each in EXAMPLE.findall(self.text))
        names: dict[str, Any] = {"frozen": frozen, "option": option}
        exec(f"@frozen\nclass Settings:\n{indent(field, '    ')}", names)
        made = declared(fields(names["Settings"]).greeting)
        self.assertEqual((made.name, made.variables), ("greeting", ("SJGATEWAY_GREETING",)))
        self.assertEqual(names["Settings"]().greeting, None)

    def test_the_example_of_a_metric_is_one(self) -> None:
        _, line = (dedent(each) for each in EXAMPLE.findall(self.text))
        names: dict[str, Any] = {"counter": counter}
        exec(f"def collect(self):\n{indent(line, '    ')}", names)
        (metric,) = names["collect"](SimpleNamespace(_greeter=SimpleNamespace(sent=3)))
        self.assertEqual(metric.name, "sjgateway_greetings")
        self.assertEqual(metric.samples[0].value, 3)

    def test_the_scenario_and_the_options_exist(self) -> None:
        (scenario,) = re.findall(r"-m benchmarks (\w+)", self.text)
        self.assertIn(scenario, SCENARIOS)
        known = {f"--{each.name}" for each in options()} | {"--check", "--greeting"}
        commands = re.findall(r"sjgateway (--[^`\n]*)", self.text)
        for name in re.findall(r"--[a-z-]+", " ".join(commands)):
            self.assertIn(name, known)


class ArchitectureTests(SynchronousTestCase):
    def test_each_path_exists_somewhere(self) -> None:
        """It names modules as their folder does: `upgrade.py` in the part on web."""
        there = [
            f"/{path.relative_to(ROOT).as_posix()}{'/' if path.is_dir() else ''}"
            for folder in FOLDERS
            for path in (ROOT / folder).rglob("*")
        ]
        there += [f"/{name}" for name in TOP] + [f"/{folder}/" for folder in FOLDERS]
        named = paths(read("ARCHITECTURE.md"))
        self.assertIn("gateway/app/", named)
        stale = {each for each in named if not any(path.endswith(f"/{each}") for path in there)}
        self.assertEqual(stale, set())

    def test_each_name_is_in_the_source(self) -> None:
        """Of a class, a function, an attribute or an option: `Session.close`, `WorkerSessions`."""
        files = [path for folder in ("gateway", "tests") for path in (ROOT / folder).rglob("*.py")]
        files += (ROOT / "gateway").rglob("*.js")
        words = {
            word for path in files for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))
        }
        quoted = set(QUOTED.findall(read("ARCHITECTURE.md")))
        named = {each for each in quoted if NAME.fullmatch(each)} - paths(read("ARCHITECTURE.md"))
        self.assertIn("Gate.hold", named)
        stale = {each for each in named if not set(each.split(".")) <= words}
        self.assertEqual(stale, set())


class TranslationTests(SynchronousTestCase):
    """docs/NAME.zh-TW.md says what docs/NAME.md says."""

    def setUp(self) -> None:
        found = [*(ROOT / "docs").glob("*.zh-TW.md"), *ROOT.glob("SECURITY.zh-TW.md")]
        self.pairs = {each: each.with_name(each.name.replace(".zh-TW", "")) for each in found}
        self.assertIn(ROOT / "docs" / "deployment.zh-TW.md", self.pairs)

    def test_each_leads_to_the_other(self) -> None:
        for chinese, english in self.pairs.items():
            self.assertIn(f"[English]({english.name})", chinese.read_text(encoding="utf-8"))
            self.assertIn(f"]({chinese.name})", english.read_text(encoding="utf-8"))

    def test_each_document_has_both_languages(self) -> None:
        english = {each for each in (ROOT / "docs").glob("*.md") if ".zh-TW" not in each.name}
        self.assertEqual(english - set(self.pairs.values()), set())

    def test_both_have_the_same_parts(self) -> None:
        """As many chapters of each level, rows and items; the same names, and the same links."""
        parts = re.compile(r"^(#+ |\||- |\d+\. )", re.MULTILINE)
        for chinese, english in self.pairs.items():
            both = [page.read_text("utf-8") for page in (english, chinese)]
            bare = [re.sub(r"```.*?```", "", text, flags=re.DOTALL) for text in both]
            self.assertEqual(*map(parts.findall, bare), chinese.name)
            self.assertEqual(*(set(QUOTED.findall(text)) for text in bare), chinese.name)
            targets = [
                sorted(name.replace(".zh-TW", "") for name, _ in links(text)) for text in both
            ]
            self.assertEqual(*targets, chinese.name)

    def test_one_word_is_used_for_the_worker_and_for_supervision(self) -> None:
        """The page has words of its own for them, which its document tells."""
        words = {"看管", "監督", "工作程式", "行情程式", "程序"}
        for chinese in self.pairs:
            for word in words - ({"行情程式"} if chinese.stem == "page.zh-TW" else set()):
                self.assertNotIn(word, chinese.read_text(encoding="utf-8"), chinese.name)

    def test_both_have_the_same_commands(self) -> None:
        """What is typed; wire examples are compared by `tests.test_protocol`."""
        blocks = re.compile(r"```(?:sh|ts|yaml|ini)\n(.*?)```", re.DOTALL)
        pairs = {**self.pairs, ROOT / "README.zh-TW.md": ROOT / "README.md"}
        for chinese, english in pairs.items():
            both = (page.read_text("utf-8") for page in (english, chinese))
            self.assertEqual(*map(blocks.findall, both), chinese.name)

    def test_both_tables_of_rest_have_every_route(self) -> None:
        for name in ("docs/rest.md", "docs/rest.zh-TW.md"):
            text = read(name)
            for route in routes():
                self.assertIn(f"`{route.method} {route.path}", text, name)


class LinkTests(SynchronousTestCase):
    """In all documents: to files, and to their chapters."""

    def test_each_leads_somewhere(self) -> None:
        for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
            for target, chapter in links(page.read_text("utf-8")):
                leads_to = (page.parent / target).resolve() if target else page
                self.assertTrue(leads_to.exists(), f"{page.name}: {target}")
                if chapter and leads_to.suffix == ".md":
                    found = chapters(leads_to.read_text("utf-8"))
                    self.assertIn(chapter, found, f"{page.name}: {target}")

    def test_each_document_is_found_from_the_readme(self) -> None:
        for page in (ROOT / "docs").glob("*.md"):
            suffix = ".zh-TW" if page.name.endswith(".zh-TW.md") else ""
            self.assertIn(f"(docs/{page.name}", read(f"README{suffix}.md"))

    def test_each_document_is_in_the_contents_of_the_site(self) -> None:
        for page in (ROOT / "docs").glob("*.md"):
            for contents in (ROOT / "docs" / "site").glob("contents*.md"):
                listed = contents.read_text("utf-8").splitlines()
                self.assertIn(page.stem.removesuffix(".zh-TW"), listed, f"in {contents.name}")


class SentenceTests(SynchronousTestCase):
    def sentences(self, page: Path, shortest: int) -> set[str]:
        """Letters and digits of each that is not short; the table of options is made."""
        text = re.sub(
            r"<!-- options -->.*<!-- end of options -->",
            "",
            page.read_text("utf-8"),
            flags=re.DOTALL,
        )
        text = re.sub(r"```.*?```|\]\([^)]*\)", "", text, flags=re.DOTALL)
        parts = re.split(r"[.:;]\s|[|。：；]|\n\n|\n(?=[-#])", text)
        bare = {re.sub(r"\W", "", part).lower() for part in parts}
        return {each for each in bare if len(each) > shortest}

    def test_none_is_in_a_readme_and_in_another_document(self) -> None:
        for suffix, shortest in (("", 30), (".zh-TW", 12)):
            readme = self.sentences(ROOT / f"README{suffix}.md", shortest)
            self.assertGreater(len(readme), 40)
            others = (*(ROOT / "docs").glob("*.md"), ROOT / f"SECURITY{suffix}.md")
            for page in others:
                self.assertEqual(readme & self.sentences(page, shortest), set(), page.name)


class CommandTests(SynchronousTestCase):
    """What documents tell to type: each start of a gateway is understood."""

    def setUp(self) -> None:
        self.patch(os, "environ", {})

    def test_each_start_has_options_that_there_are(self) -> None:
        starts = 0
        for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
            for block in re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
                for line in block.replace("\\\n", "").splitlines():
                    before, _, options = line.partition("sjgateway --")
                    if before.endswith(("twistd -n ", "twistd ", "--pidfile= ")):
                        starts += 1
                        given = shlex.split(f"--{options}", comments=True)
                        Options().parseOptions([each for each in given if each != "--check"])
        self.assertGreater(starts, 20)


class MapTests(SynchronousTestCase):
    """The docstring of a folder's `__init__` is its map: `name` a module, `name/` a folder."""

    def test_each_map_names_what_is_in_its_folder(self) -> None:
        for init in (ROOT / "gateway").rglob("__init__.py"):
            there = {path.stem for path in init.parent.glob("*.py")} - {"__init__"}
            there |= {f"{path.parent.name}/" for path in init.parent.glob("*/__init__.py")}
            text = ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) or ""
            entries = re.findall(r"^- `([a-z0-9_]+/?)`: ", text, re.MULTILINE)
            self.assertEqual(sorted(entries), sorted(there), f"the map in {init.relative_to(ROOT)}")
