"""What the page knows, without a document: `*.test.mjs` here, run by Node.js's own runner."""

from __future__ import annotations

import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.node import require_node

HERE = Path(__file__).parent


class ModelTests(SynchronousTestCase):
    def test_each_model_of_the_page(self) -> None:
        found = sorted(map(str, HERE.glob("*.test.mjs")))
        self.assertGreater(len(found), 2)
        command = [require_node(), "--test", "--test-reporter=tap", *found]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stdout[-8000:] + run.stderr[-2000:])
