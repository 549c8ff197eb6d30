"""Faults of the gateway's own files, and what the ledger says."""

import json
import os
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

from gateway.market.hours import TAIPEI
from gateway.ops.doctor import host
from gateway.worker.lifecycle.ledger import trading_day
from tests.ops.doctor.world import DoctorTestCase, Line
from tests.unprivileged import NOBODY


class BarsTests(DoctorTestCase):
    def test_a_file_that_can_be_written(self) -> None:
        state = self.folder / "state"
        line = self.found("bars", state_dir=state, port=3001)
        self.assertEqual((line.level, line.what), ("ok", f"{state}/bars-3001.db can be written"))
        self.assertFalse(state.exists(), "nothing is made")

    def test_none_are_kept(self) -> None:
        self.assertIn("--keep-bars 0", self.found("bars", keep_bars=0).what)

    def test_something_else_in_its_place(self) -> None:
        (self.folder / "bars-4001.db").mkdir()
        line = self.found("bars", state_dir=self.folder, port=4001)
        self.assert_found(line, "warn", "can't be written", "begin anew")

    def test_a_full_disk(self) -> None:
        self.patch(host.shutil, "disk_usage", lambda _: SimpleNamespace(free=5 << 20))
        line = self.found("bars", state_dir=self.folder)
        self.assert_found(line, "warn", "only 5 MiB", "--keep-bars")


class FilesTests(DoctorTestCase):
    def secret(self, mode: int = 0o600) -> Path:
        file = self.folder / "secret"
        file.write_text("the-secret")
        file.chmod(mode)
        return file

    def test_private_files(self) -> None:
        line = self.found("files", credentials_file=self.secret(), token_file=self.secret())
        self.assertEqual(line.level, "ok")

    def test_one_that_others_can_read(self) -> None:
        for name in ("credentials_file", "token_file", "view_token_file"):
            line = self.found("files", **{name: self.secret(0o640)})
            self.assert_found(line, "warn", "other users can read", "chmod 600")
        self.assertEqual(self.secret(0o640).stat().st_mode & 0o777, 0o640, "it only looks")

    def test_a_symbolic_link(self) -> None:
        link = self.folder / "link"
        link.symlink_to(self.secret())
        line = self.found("files", credentials_file=link)
        self.assert_found(line, "warn", "symbolic link", "the file that it leads to")

    def test_a_path_through_a_file(self) -> None:
        line = self.found("files", credentials_file=self.secret() / "below")
        self.assert_found(line, "fail", "Not a directory", f"user {os.geteuid()}")

    def test_an_option_that_makes_no_sense_to_its_layer(self) -> None:
        for settings, words in (
            ({"allowed_origins": ("a",)}, "is not an origin"),
            ({"ping_interval": 0.0}, "ping_interval"),
        ):
            line = self.found("environment", **settings)
            self.assert_found(line, "fail", words, "correct the option")

    def test_a_token_file_that_is_missing_or_empty(self) -> None:
        (self.folder / "empty").touch(0o600)
        for name in ("missing", "empty"):
            line = self.found("environment", token_file=self.folder / name)
            self.assert_found(line, "fail", "token file", "correct")

    def test_alerts_that_the_start_would_refuse_fail_without_a_secret(self) -> None:
        file = self.folder / "file"
        file.touch(0o600)
        for option, content, told in (
            ("alert_file", "http://example.com/secret-path", "https://example.com/path"),
            ("alert_ca", "no certificate", "there is no certificate"),
        ):
            file.write_text(content)
            line = self.found("environment", **{option: file})
            self.assert_found(line, "fail", told, "correct the option")
            self.assertNotIn("secret-path", line.what)


class StateTests(DoctorTestCase):
    def restart(self, ledger: object) -> Line:
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        text = ledger if isinstance(ledger, str) else json.dumps(ledger)
        (state / "ledger.json").write_text(text)
        return self.found("restart", state_dir=state, budget=3)

    def test_a_new_state_directory_is_not_made(self) -> None:
        state = self.folder / "some" / "state"
        self.assertEqual(self.found("state", state_dir=state).level, "ok")
        self.assertIn("no starts yet", self.found("restart", state_dir=state).what)
        self.assertFalse((self.folder / "some").exists())

    def test_one_that_cannot_be_written(self) -> None:
        (self.folder / "file").touch()
        line = self.found("state", state_dir=self.folder / "file" / "state")
        self.assert_found(line, "fail", "can't be written", "--state-dir")

    def test_starts_within_the_budget(self) -> None:
        line = self.restart({"days": {trading_day(self.now): 2}})
        self.assertEqual((line.level, line.what), ("ok", "2 of 3 starts this trading day"))

    def test_logins_that_were_saved(self) -> None:
        day = trading_day(self.now)
        at = datetime.fromtimestamp(self.now, TAIPEI).strftime("%H:%M")
        for adopted, how in ((True, "was taken over"), (False, "started anew")):
            newest = {"at": self.now, "adopted": adopted}
            line = self.restart({"days": {day: 2}, "adoptions": {day: 4}, "newest": newest})
            found = (
                f"2 of 3 starts this trading day, 4 logins saved; the newest worker {how} at {at}"
            )
            self.assertEqual(line.what, f"{found} in Taipei")

    def test_the_budget_is_spent(self) -> None:
        line = self.restart({"days": {trading_day(self.now): 3}})
        self.assert_found(line, "warn", "budget of 3 is spent", "POST /restart-python")

    def test_the_brokers_pause(self) -> None:
        ledger = {"days": {}, "pause": {"until": self.now + 600, "level": 1}}
        self.assert_found(self.restart(ledger), "warn", "451 or 503", "wait")
        ledger["pause"]["until"] = self.now - 1
        self.assertEqual(self.restart(ledger).level, "ok")

    def test_a_damaged_ledger(self) -> None:
        for text in ("{", "[]", '{"days": {"x": "y"}}', "\0"):
            self.assert_found(self.restart(text), "warn", "is damaged", "remove it")

    def test_a_ledger_of_a_later_version(self) -> None:
        line = self.restart({"version": 2, "starts": []})
        self.assert_found(line, "warn", "its version is 2, and this gateway knows 1", "go on with")

    def test_a_ledger_that_cannot_be_read(self) -> None:
        (self.folder / "state" / "ledger.json").mkdir(parents=True)
        line = self.found("restart", state_dir=self.folder / "state")
        self.assert_found(line, "warn", "can't be read", "chmod")


class OtherUserTests(DoctorTestCase):
    by_another_user = True

    def setUp(self) -> None:
        super().setUp()
        self.closed = self.folder / "closed"
        self.closed.mkdir(0o700)

    def test_files_that_it_may_not_read(self) -> None:
        secret = self.folder / "secret"
        secret.touch(0o600)
        line = self.found("files", credentials_file=secret)
        self.assert_found(line, "fail", "can't be read", f"chown it to user {NOBODY}")
        for name in ("credentials_file", "token_file", "holiday_file"):
            line = self.found("files", **{name: self.closed / "file"})
            self.assert_found(line, "fail", "Permission denied", f"user {NOBODY} can enter")

    def test_folders_that_it_may_not_write(self) -> None:
        for name in ("log_file", "credentials_file"):
            for folder in (self.folder, self.closed):
                _, lines = self.check(**{name: folder / "new"})
                (line,) = [each for each in lines if "can't be written" in each.what][:1]
                self.assert_found(line, "fail", f"{folder} can't be written", "chown")
        for folder in (self.folder, self.closed / "below"):
            line = self.found("state", state_dir=folder / "state")
            self.assert_found(line, "fail", "can't be written", "--state-dir")

    def test_a_worker_that_it_may_not_look_at(self) -> None:
        for settings in (
            {"main": self.closed / "main.py"},
            {"cwd": self.closed},
            {"cwd": self.closed, "module": "trader"},
        ):
            line = self.found("main.py", **settings)
            self.assert_found(line, "fail", "Permission denied", f"user {NOBODY} can enter")
