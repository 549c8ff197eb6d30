"""The broker's keys: their file, and the variables of the worker."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from dotenv import dotenv_values
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.common.credentials import FIELDS, Credentials, CredentialsError
from gateway.contract import WorkerError
from gateway.worker.keys.credentials import (
    VARIABLES,
    CredentialsFile,
    as_environment,
    check_certificate,
    from_environment,
    name_more,
)

GOOD = dict.fromkeys(FIELDS, "value")
SECRET_TEXT = st.text(
    st.characters(blacklist_characters="\r\n\0", blacklist_categories=["Cs"]),
    min_size=1,
    max_size=50,
)


def validated(**changes: object) -> Credentials:
    return Credentials.validated({**GOOD, **changes})


class CertificateTests(SynchronousTestCase):
    def test_relative_paths_are_beside_main_py(self) -> None:
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        (folder / "cert.pfx").write_bytes(b"")
        check_certificate("cert.pfx", folder)
        check_certificate(str(folder / "cert.pfx"), Path("/"))

    def test_what_can_not_be_read_is_refused_without_showing_the_path(self) -> None:
        for path in ("missing.pfx", "/", "a" * 300):
            error = self.assertRaises(CredentialsError, check_certificate, path, Path.cwd())
            self.assertEqual(error.field, "caCertPath")
            self.assertNotIn(path, error.message)

    def test_what_is_no_file_is_refused_at_once_not_waited_for(self) -> None:
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        os.mkfifo(folder / "cert.pfx")
        error = self.assertRaises(CredentialsError, check_certificate, "cert.pfx", folder)
        self.assertIn("no regular file", error.message)


class EnvironmentTests(SynchronousTestCase):
    @hypothesis_settings(max_examples=100, deadline=None)
    @given(SECRET_TEXT)
    def test_a_value_is_kept_exactly_in_every_variable(self, text) -> None:
        environment = as_environment(validated(**dict.fromkeys(FIELDS, text)))
        self.assertEqual(set(environment), {name for group in VARIABLES.values() for name in group})
        self.assertEqual(set(environment.values()), {text})
        self.assertEqual(os.fsdecode(os.fsencode(text)), text)

    def test_what_is_not_given_is_in_no_variable(self) -> None:
        made = validated(caCertPath="", caPassword="")
        given = {*VARIABLES["apiKey"], *VARIABLES["secretKey"]}
        self.assertEqual(set(as_environment(made)), given)

    def test_the_variables_are_those_of_the_posted_fields(self) -> None:
        self.assertEqual(tuple(VARIABLES), FIELDS)

    def test_the_first_that_is_set_counts_for_its_group(self) -> None:
        found = from_environment({"API_KEY": "", "SJ_KEY": "one", "SJ_API_KEY": "two", "X": "y"})
        self.assertEqual(found, dict.fromkeys(VARIABLES["apiKey"], "one"))


class NamesTests(SynchronousTestCase):
    def test_further_names_join_the_known_ones(self) -> None:
        named = name_more(["apiKey=MY_KEY", "secretKey=MY_SECRET", "apiKey=MY_KEY"])
        self.assertEqual(named["apiKey"], (*VARIABLES["apiKey"], "MY_KEY"))
        environment = as_environment(validated(), named)
        self.assertEqual((environment["MY_KEY"], environment["MY_SECRET"]), ("value", "value"))
        self.assertEqual(from_environment({"MY_KEY": "x"}, named)["API_KEY"], "x")

    def test_the_names_of_public_workers_are_known(self) -> None:
        environment = as_environment(validated())
        for name in ("SHIOAJI_API_KEY", "SINOPAC_SECRET_KEY", "CA_PATH", "SHIOAJI_CERT_PASSWORD"):
            self.assertIn(name, environment)
        names = [name for group in VARIABLES.values() for name in group]
        self.assertEqual(len(names), len(set(names)))

    def test_names_that_make_no_sense_are_refused(self) -> None:
        for pair in (
            *("MY_KEY", "key=MY_KEY", "apiKey=", "apiKey=a-b", "apiKey=1A", "apiKey=金"),
            *("apiKey=SECRET_KEY", "apiKey=PATH", "apiKey=GATEWAY_URL"),
        ):
            self.assertRaises(ValueError, name_more, [pair])


class FileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute() / "private"
        self.path = self.folder / "keys.env"
        self.file = CredentialsFile(self.path)

    def test_without_a_file_there_is_nothing(self) -> None:
        self.assertIsNone(self.file.load())

    def test_it_is_private(self) -> None:
        self.addCleanup(os.umask, os.umask(0))
        self.file.save(validated())
        self.assertEqual(self.folder.stat().st_mode & 0o777, 0o700)
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)

    def test_a_file_others_could_read_is_made_private(self) -> None:
        self.file.save(validated())
        self.path.chmod(0o644)
        self.file.load()
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)

    @hypothesis_settings(max_examples=100, deadline=None)
    @given(st.lists(SECRET_TEXT, min_size=4, max_size=4))
    def test_what_is_saved_is_loaded_exactly_also_by_dotenv(self, values) -> None:
        made = Credentials(*values)
        self.file.save(made)
        self.assertEqual(self.file.load(), made)
        read = dotenv_values(self.path, interpolate=False)
        self.assertEqual(list(read.values()), values)

    def test_no_symbolic_link_is_followed(self) -> None:
        self.folder.mkdir(parents=True)
        target = self.folder / "target"
        CredentialsFile(target).save(validated())
        precious = target.read_text()
        self.path.symlink_to(target)
        for act in (lambda: self.file.save(validated()), self.file.load):
            self.assertIn(str(self.path), str(self.assertRaises(WorkerError, act)))
        self.assertEqual(target.read_text(), precious)

    def test_any_error_leaves_the_old_content_and_no_draft(self) -> None:
        self.file.save(validated(apiKey="old"))
        for name in ("fsync", "fdopen", "open"):
            with self.subTest(call=name):

                def full(*_: object, **__: object) -> None:
                    raise OSError(28, "No space left on device")

                patch = self.patch(os, name, full)
                error = self.assertRaises(WorkerError, self.file.save, validated(apiKey="new"))
                patch.restore()
                self.assertIn("No space left", error.details)
                self.assertNotIn("new", str(error))
                self.assertEqual(self.file.load().api_key, "old")
                self.assertEqual([path.name for path in self.folder.iterdir()], ["keys.env"])

    def test_an_error_that_also_keeps_a_draft_from_being_removed_is_told(self) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.folder.write_text("a file where a folder is expected")
        error = self.assertRaises(WorkerError, self.file.save, validated())
        self.assertIn(str(self.path), error.details)

    def test_what_is_no_file_of_ours_is_refused(self) -> None:
        self.folder.mkdir(parents=True)
        for content in (b"API_KEY=only\n", b"\xff\xfe", b""):
            self.path.write_bytes(content)
            error = self.assertRaises(WorkerError, self.file.load)
            self.assertNotIn("only", str(error))
        self.path.unlink()
        self.path.mkdir()
        self.assertRaises(WorkerError, self.file.load)
        self.path.rmdir()
        os.mkfifo(self.path)
        self.assertRaises(WorkerError, self.file.load)

    def test_drafts_that_a_killed_gateway_left_are_removed(self) -> None:
        self.folder.mkdir(parents=True)
        left = self.folder / ".keys.env.0123456789abcdef"
        others = [self.folder / name for name in (".keys.env.swp", ".env.0123456789abcdef", "x")]
        for path in (left, *others):
            path.write_text("API_KEY='secret'")
        self.assertIsNone(self.file.load())
        self.assertEqual([path.exists() for path in (left, *others)], [False] + [True] * 3)

    def test_a_draft_that_is_being_written_is_left_alone(self) -> None:
        self.folder.mkdir(parents=True)
        draft = self.folder / ".keys.env.0123456789abcdef"
        with draft.open("w") as writing:
            fcntl.flock(writing, fcntl.LOCK_EX)
            self.file.load()
            self.assertTrue(draft.exists())
        self.file.load()
        self.assertFalse(draft.exists())

    def test_restore_writes_what_was_there_or_nothing(self) -> None:
        self.file.save(validated(apiKey="new"))
        self.file.restore(validated(apiKey="old"))
        self.assertEqual(self.file.load().api_key, "old")
        self.file.restore(None)
        self.assertIsNone(self.file.load())
        self.file.restore(None)
