"""A file that a test leaves in the source tree is found."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.leftovers import listed, new_or_changed


class LeftoverTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.root = Path(self.mktemp())
        for folder in ("gateway", ".git", "tests/__pycache__"):
            (self.root / folder).mkdir(parents=True)
        for name in ("main.py", "gateway/tap.py", "gateway/old.py"):
            (self.root / name).write_text("a source")
        self.before = listed(self.root)

    def left(self) -> list[str]:
        return new_or_changed(self.before, listed(self.root))

    def test_what_is_made_touched_or_taken_away_is_told(self) -> None:
        (self.root / "shioaji.log").touch()
        (self.root / "gateway" / "tap.py").write_text("written")
        (self.root / "gateway" / "old.py").unlink()
        self.assertEqual(self.left(), ["gateway/old.py", "gateway/tap.py", "shioaji.log"])

    def test_caches_may_change(self) -> None:
        for path in (".git/index", "tests/__pycache__/x.pyc", ".coverage.host.1", "_trial_temp-1"):
            (self.root / path).touch()
        self.assertEqual(self.left(), [])
