"""What makes a worker another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.process.identity import identify
from gateway.worker.process.note import Note


class IdentityTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.main = Path(self.mktemp())
        self.main.write_text("pass")

    def identity(self, **changes: Any) -> dict[str, str]:
        given = {"argv": ["python"], "cwd": "/", "env": {"A": "1"}, "keys": {"API_KEY"}}
        given.update(changes)
        return identify(self.main, **given)

    def differs(self, **changes: Any) -> list[str]:
        before = self.identity()
        return [name for name, digest in self.identity(**changes).items() if digest != before[name]]

    def test_what_is_run_and_in_which_environment(self) -> None:
        self.assertEqual(self.differs(argv=["python", "-u"]), ["program"])
        self.assertEqual(self.differs(cwd="/tmp"), ["program"])
        self.assertEqual(self.differs(env={"A": "2"}), ["environment"])
        self.assertEqual(self.differs(env={"A": "1", "B": ""}), ["environment"])
        self.assertEqual(self.differs(env={"A": "1", "ODD": "\udcff"}), ["environment"])

    def test_main_py_by_its_content(self) -> None:
        before = self.identity()
        self.main.write_text("pass\n")
        self.assertNotEqual(self.identity()["main.py"], before["main.py"])
        self.main.unlink()
        self.assertNotEqual(self.identity()["main.py"], before["main.py"])

    def test_keys_and_sessions_and_options_do_not_count(self) -> None:
        more = {"API_KEY": "k", "SSH_TTY": "1", "PWD": "/", "SJGATEWAY_PORT": "1", "SHLVL": "2"}
        self.assertEqual(self.differs(env={"A": "1", **more}), [])

    def test_who_shares_the_worker_counts(self) -> None:
        desk, site = self.identity(cluster="desk"), self.identity(cluster="site")
        self.assertNotEqual(desk["cluster"], site["cluster"])
        self.assertNotIn("cluster", self.identity())

    def test_it_tells_no_secret(self) -> None:
        self.assertNotIn("hunter2", str(self.identity(env={"PASSWORD": "hunter2"})))


class NoteTests(SynchronousTestCase):
    def test_what_is_noted_is_read(self) -> None:
        for note in (
            Note(generation=3),
            Note(generation=3, own_keys=True, settled=2.5, counted=True, vitals={"ready": 4.0}),
            Note(generation=3, tenure={"holder": "a", "token": 7}),
        ):
            self.assertEqual(Note.read(note.told()), note)

    def test_one_of_a_version_that_did_not_tell_whether_it_was_counted(self) -> None:
        told = Note(generation=3).told()
        del told["counted"]
        self.assertTrue(Note.read(told).counted)

    def test_nonsense_is_no_note(self) -> None:
        for nonsense in ({}, {**Note(generation=1).told(), "settled": "x"}):
            self.assertRaises(ValueError, Note.read, nonsense)
