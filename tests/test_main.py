"""main.py, the reference worker: short, with three marked places; it needs our package."""

import shutil
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import main
from gateway.client.rule import Rule

ROOT = Path(__file__).parents[1]
SOURCE = (ROOT / "main.py").read_text(encoding="utf-8")


class SourceTests(SynchronousTestCase):
    def test_main_and_the_minimal_worker_are_short(self) -> None:
        self.assertLessEqual(len(SOURCE.splitlines()), 160)
        minimal = (ROOT / "examples" / "minimal_worker.py").read_text(encoding="utf-8")
        self.assertLessEqual(len(minimal.splitlines()), 60)
        self.assertNotIn("gateway.", minimal.replace("gateway.client", ""))

    def test_three_places_are_marked_once_in_the_source_of_the_rule(self) -> None:
        begin = SOURCE.index("class MyRule")
        places = {"①": "def subscribe", "②": "def on_tick", "③": "def on_bar"}
        for mark, method in places.items():
            after = SOURCE[SOURCE.index(method, begin) :]
            first, second, *_ = after.split('"""')[1].splitlines()
            self.assertTrue(first.startswith(mark) and second.strip().startswith(mark), mark)

    def test_it_subscribes_to_the_index_future_and_a_stock(self) -> None:
        rule = main.MyRule()
        self.assertIsInstance(rule, Rule)
        self.assertEqual(list(rule.subscribe()), ["TXFR1", "2330"])


class AloneTests(SynchronousTestCase):
    def test_without_our_package_it_says_so_in_one_line(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        shutil.copy(ROOT / "main.py", folder)
        done = subprocess.run(
            # -S: neither site-packages nor an editable install of ours.
            [sys.executable, "-S", "main.py"],
            cwd=folder,
            env={"PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        (line,) = done.stderr.splitlines()
        self.assertIn("No module named 'gateway'", line)

    def test_the_library_imports_no_twisted(self) -> None:
        script = "import sys, gateway.client.run; print('twisted' in sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
        )
        self.assertEqual(done.stdout.strip(), "False")
