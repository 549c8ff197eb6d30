"""The test command counts what trial and its steps say."""

import io
import re
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from importlib.util import find_spec

from twisted.trial.unittest import SynchronousTestCase

from tests.__main__ import (
    BROWSER,
    MORE,
    PAGES,
    ROOT,
    SKIPPED,
    STEPS,
    WORKERS,
    beside,
    by_twos,
    conclude,
    counts,
    last,
    main,
    parts,
)


class CountsTests(SynchronousTestCase):
    def test_trials_last_line_is_counted(self) -> None:
        for line, expected in [
            ("PASSED (successes=3)", (3, 0, 0)),
            ("PASSED (skips=2, expectedFailures=1, successes=3)", (4, 0, 2)),
            ("FAILED (failures=1, errors=2, unexpectedSuccesses=1, successes=3)", (3, 4, 0)),
            ("PASSED", (0, 0, 0)),
            ("PASSED, or so it says", (0, 0, 0)),
            ("", (0, 0, 0)),
        ]:
            found = counts(line)
            self.assertEqual((found["passed"], found["failed"], found["skipped"]), expected, line)


class StepTests(SynchronousTestCase):
    def test_each_step_is_told_and_counted(self) -> None:
        steps = {"fine": ("compileall", "-h"), "broken": ("compileall", "--no-such-option")}
        found: Counter[str] = Counter()
        with redirect_stdout(io.StringIO()) as printed, beside(steps, found):
            found["passed"] += 5
        with redirect_stdout(printed):
            by_twos(steps, found)
        self.assertEqual((found["passed"], found["failed"]), (7, 2))
        self.assertEqual(printed.getvalue().count("fine: passed\nbroken: FAILED\n"), 2)
        self.assertEqual(printed.getvalue().count("--no-such-option"), 2)

    def test_a_step_that_cannot_be_shown_here_says_why(self) -> None:
        found: Counter[str] = Counter()
        with redirect_stdout(io.StringIO()) as printed:
            conclude("absent", SKIPPED, "no such program", found)
        self.assertEqual(found, {"skipped": 1})
        self.assertEqual(printed.getvalue(), "absent: skipped\nno such program\n")

    def test_each_step_is_a_module_that_there_is(self) -> None:
        for module, *_ in (*STEPS.values(), *MORE.values()):
            self.assertIsNotNone(find_spec(module), module)

    def test_a_word_that_it_does_not_know_runs_nothing(self) -> None:
        with redirect_stderr(io.StringIO()) as printed:
            self.assertEqual(main(["--al"]), 2)
        self.assertIn("--all", printed.getvalue())


class PartsTests(SynchronousTestCase):
    def test_what_takes_long_is_left_for_all(self) -> None:
        for name in (*PAGES, *WORKERS, *BROWSER):
            self.assertIsNotNone(find_spec(name), name)
        self.assertIn("tests.interop.test_page", last())
        steps = [name for words in MORE.values() for name in words]
        self.assertEqual([each for each in (*PAGES, *WORKERS) if each in last()], [])
        self.assertEqual([each for each in (*PAGES, *WORKERS) if each not in steps], [])

    def test_whoever_opens_a_browser_shares_it(self) -> None:
        folder = ROOT / "tests" / "interop"
        found = {
            f"tests.interop.{path.stem}"
            for path in folder.glob("test_*.py")
            if re.search(
                r"^from tests\.interop\.(browser|test_desk) import", path.read_text("utf-8"), re.M
            )
        }
        self.assertEqual(found, set(BROWSER))

    def test_every_test_is_in_a_part(self) -> None:
        modules = {
            ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for path in (ROOT / "tests").rglob("test_*.py")
            if "node_modules" not in path.parts
        }
        outside = {
            name
            for name in modules
            if not any(f"{name}.".startswith(f"{part}.") for part in parts())
        }
        self.assertEqual(outside, set())
