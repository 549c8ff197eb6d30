"""Lint, format and types, as pyproject.toml has them."""

import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parents[1]


class QualityTests(SynchronousTestCase):
    def clean(self, *command: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_lint(self) -> None:
        self.clean("ruff", "check", ".")

    def test_format(self) -> None:
        self.clean("ruff", "format", "--check", ".")

    def test_types(self) -> None:
        self.clean("mypy")
