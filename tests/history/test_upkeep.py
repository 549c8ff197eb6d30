"""docs/upkeep.md: its commands for backup and restore, typed while all files are in use."""

import re
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.common.keyfile import KeyFile
from gateway.history.bar_store import BROKER, BarStore
from gateway.history.bars import KeptBar
from gateway.worker.lifecycle.ledger import Ledger, trading_day

ROOT = Path(__file__).parents[2]
NOW = 1_796_000_000


class BackupTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        for name in ("state", "backup", "recordings"):
            (self.folder / name).mkdir(parents=True)
        self.commands = dict(
            re.findall(
                r"^## (Backup|Restore)$.*?```sh\n(.*?)```",
                (ROOT / "docs" / "upkeep.md").read_text("utf-8"),
                re.DOTALL | re.MULTILINE,
            )
        )

    def type(self, chapter: str) -> None:
        subprocess.run(["sh", "-e", "-c", self.commands[chapter]], cwd=self.folder, check=True)

    def store(self) -> BarStore:
        """The bars in the state folder; whoever asks gives them back."""
        store = BarStore(self.folder / "state" / "bars-3001.db")
        self.addCleanup(store.file.close)
        self.assertEqual(store.file.set_aside, "")
        return store

    def bars(self, store: BarStore) -> list[tuple[float, ...]]:
        return list(store.connection.execute("SELECT time, open, volume FROM bars"))

    def test_what_was_backed_up_is_there_again(self) -> None:
        state, recordings = self.folder / "state", self.folder / "recordings"
        ledger, key = Ledger(state, self.fail), KeyFile(state / "recovery.key")()
        ledger.count(NOW)
        store = self.store()
        store.fill("TXFL6", [KeptBar(NOW, 1, 3, 1, 2, 7, NOW - 60, BROKER)])
        kept = self.bars(store)
        self.assertEqual(kept, [(NOW, 1.0, 7.0)])
        (recordings / "2026-11-30-day.jsonl.zst").write_bytes(b"frames")
        self.type("Backup")

        store.fill("TXFL6", [KeptBar(NOW + 60, 1, 3, 1, 2, 7, NOW - 60, BROKER)])
        store.file.close()
        for path in (*state.iterdir(), *recordings.iterdir()):
            path.unlink()
        self.type("Restore")

        self.assertEqual(self.bars(self.store()), kept)
        self.assertEqual(Ledger(state, self.fail).starts(trading_day(NOW)), 1)
        self.assertEqual(KeyFile(state / "recovery.key")(), key)
        self.assertEqual((recordings / "2026-11-30-day.jsonl.zst").read_bytes(), b"frames")
