"""Which keys count, and that their text is known as a secret."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.common.credentials import Credentials
from gateway.common.redact import MASK, Redactor
from gateway.contract import WorkerError
from gateway.worker.keys.credentials import as_environment, from_environment
from gateway.worker.keys.store import CredentialStore
from tests.worker.fakes import settings

OLD = Credentials("old-api-key", "old-secret", "cert.pfx", "old-password")
NEW = Credentials("new-api-key", "new-secret", "cert.pfx", "new-password")


class KeysTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.path = self.folder / "keys.env"
        self.redactor = Redactor()

    def keys(self, environ: dict[str, str] | None = None, *, file: bool = True) -> CredentialStore:
        told = settings(credentials_file=self.path if file else None)
        return CredentialStore(told, self.redactor, environ or {})

    def test_the_file_is_loaded_and_posted_keys_win(self) -> None:
        self.keys().replace(OLD)
        keys = self.keys()
        keys.load()
        self.assertEqual(keys.current, OLD)
        self.assertEqual(keys.replace(NEW), OLD)
        self.assertEqual(keys.current, NEW)
        again = self.keys()
        again.load()
        self.assertEqual(again.current, NEW)

    def test_the_keys_of_a_worker_that_is_taken_over(self) -> None:
        """They are those of a new one, or the worker may not stay."""
        posted, environment = as_environment(OLD), {"API_KEY": "k", "SECRET_KEY": "s"}
        of_environment = from_environment(environment)
        for environ, worker, own, stays in (
            (environment, of_environment, False, True),
            ({}, of_environment, False, False),
            ({**environment, "API_KEY": "another"}, of_environment, False, False),
            ({}, {}, False, True),
            ({}, posted, True, True),
            (environment, posted, True, True),
        ):
            with self.subTest(environ=environ, worker=worker):
                keys = self.keys(environ, file=False)
                self.assertEqual(keys.adopt(worker, own=own), stays)
                self.assertEqual(keys.current, OLD if own else None)
        self.assertNotIn(OLD.secret_key, self.redactor(f"it is {OLD.secret_key}"))

    def recalled(self, memo: bytes, *, file: bool = False) -> CredentialStore:
        """The keys of the next program, which starts."""
        keys = self.keys({"API_KEY": "k", "SECRET_KEY": "s"}, file=file)
        keys.recall(memo)
        keys.load()
        return keys

    def test_the_next_program_goes_on_with_posted_keys(self) -> None:
        before = self.keys(file=False)
        before.replace(OLD)
        keys = self.recalled(before.memo())
        self.assertEqual(keys.current, OLD)
        self.assertNotIn(OLD.secret_key, self.redactor(f"it is {OLD.secret_key}"))
        self.assertTrue(keys.adopt(as_environment(OLD), own=True))
        self.assertFalse(keys.adopt(as_environment(NEW), own=True), "those of a worker that ends")
        self.assertEqual(keys.current, OLD)

    def test_the_next_program_knows_that_no_keys_are_posted_any_more(self) -> None:
        keys = self.recalled(self.keys(file=False).memo())
        self.assertFalse(keys.adopt(as_environment(OLD), own=True), "they were put back")
        self.assertIsNone(keys.current)

    def test_the_file_wins_over_what_the_program_before_knew(self) -> None:
        before = self.keys()
        before.replace(OLD)
        self.keys().replace(NEW)
        self.assertEqual(self.recalled(before.memo(), file=True).current, NEW)
        self.path.write_bytes(b"\xff")
        self.assertEqual(self.recalled(before.memo(), file=True).current, OLD)
        self.flushLoggedErrors()

    def test_a_memo_of_another_version(self) -> None:
        self.assertIsNone(self.recalled(b'{"keys": 1}').current)

    def test_the_last_keys_win_over_those_of_the_worker(self) -> None:
        keys = self.keys(file=False)
        keys.replace(NEW)
        self.assertFalse(keys.adopt(as_environment(OLD), own=True))
        self.assertEqual(keys.current, NEW)
        self.keys().replace(NEW)
        keys = self.keys()
        keys.load()
        self.assertFalse(keys.adopt(as_environment(OLD), own=True), "the file changed")
        self.assertTrue(keys.adopt(as_environment(NEW), own=True))
        self.path.unlink()
        self.assertFalse(self.keys().adopt(as_environment(NEW), own=True), "the file is gone")

    def test_a_file_that_can_not_be_read_takes_no_keys_away(self) -> None:
        self.path.write_text("nonsense")
        keys = self.keys()
        keys.load()
        self.assertTrue(keys.adopt(as_environment(OLD), own=True))
        self.assertEqual(keys.current, OLD)

    def test_a_file_that_can_not_be_used_is_no_reason_to_fail(self) -> None:
        self.path.write_text("nonsense")
        keys = self.keys()
        keys.load()
        self.assertIsNone(keys.current)

    def test_keys_that_can_not_be_saved_are_not_used(self) -> None:
        keys = self.keys()
        keys.replace(OLD)
        self.path.unlink()
        self.path.mkdir()
        self.assertRaises(WorkerError, keys.replace, NEW)
        self.assertEqual(keys.current, OLD)

    def test_present_keys_are_not_forgotten_for_all_that_a_file_holds(self) -> None:
        keys = self.keys(file=False)
        keys.replace(OLD)
        main = self.folder / "main.py"
        main.write_text("".join(f"load_dotenv('{n}.env')\n" for n in range(9)))
        for file in range(9):
            lines = (f"TOKEN_{n}=a-{file}-{n}-token\n" for n in range(50))
            (self.folder / f"{file}.env").write_text("".join(lines))
        keys.look(main)
        for secret in OLD.secrets:
            self.assertEqual(self.redactor(f"<{secret}>"), f"<{MASK}>")

    def test_putting_back(self) -> None:
        for file in (True, False):
            keys = self.keys(file=file)
            for previous in (None, OLD):
                if previous:
                    keys.replace(previous)
                keys.replace(NEW)
                self.assertTrue(keys.put_back(NEW, previous))
                self.assertEqual(keys.current, previous)
                again = self.keys(file=file)
                again.load()
                self.assertEqual(again.current, previous if file else None)

    def test_keys_that_were_replaced_meanwhile_are_not_put_back(self) -> None:
        keys = self.keys()
        keys.replace(NEW)
        keys.replace(OLD)
        self.assertFalse(keys.put_back(NEW, None))
        self.assertEqual(keys.current, OLD)

    def test_a_file_that_can_not_be_put_back_is_told_and_the_memory_counts(self) -> None:
        keys = self.keys()
        keys.replace(NEW)
        self.path.unlink()
        self.path.mkdir()
        self.assertTrue(keys.put_back(NEW, OLD))
        self.assertEqual(keys.current, OLD)

    def test_all_secrets_are_known(self) -> None:
        keys = self.keys({"SJ_KEY": "environ-api-key", "CA_CERT_PATH": "/the/cert.pfx"})
        keys.replace(NEW)
        (self.folder / ".env").write_text(
            "SECRET_KEY='dotenv-secret'\nBASE=inter\nSJ_CA_PASSWD=${BASE}polated\nSJ_SEC=${BASE}x\n"
        )
        nested = self.folder / "deep" / "folder"
        nested.mkdir(parents=True)
        keys.look(nested / "main.py")
        for secret in (
            *NEW.secrets, "environ-api-key", "dotenv-secret", "interpolated", "${BASE}polated"
        ):  # fmt: skip
            self.assertEqual(self.redactor(secret), MASK, secret)
        self.assertEqual(self.redactor("/the/cert.pfx"), "/the/cert.pfx")

    def test_a_dotenv_that_can_not_be_read_is_no_reason_to_fail(self) -> None:
        (self.folder / ".env").write_bytes(b"\xff\xfeAPI_KEY=x")
        self.keys().look(self.folder / "main.py")

    def test_without_the_two_keys_some_are_missing(self) -> None:
        both = {"SJ_API_KEY": "a", "SHIOAJI_SECRET_KEY": "s"}
        for environ, missing in ((both, False), ({"SJ_API_KEY": "a"}, True), ({}, True)):
            self.assertEqual(self.keys(environ).missing, missing)
        keys = self.keys({"SJ_API_KEY": "a"})
        (self.folder / ".env").write_text("SINOPAC_SECRET_KEY=s\n")
        keys.look(self.folder / "main.py")
        self.assertFalse(keys.missing)
        keys = self.keys()
        keys.replace(NEW)
        self.assertFalse(keys.missing)

    def test_posted_keys_that_the_workers_own_file_replaces_are_told(self) -> None:
        main = self.folder / "main.py"
        main.write_text("load_dotenv(override=True)\nkey = os.environ['API_KEY']\n")
        (self.folder / ".env").write_text("API_KEY=another\n")
        keys = self.keys()
        keys.look(main)
        self.assertEqual((keys.overridden, keys.warning), ([], ""))
        keys.replace(NEW)
        keys.look(main)
        self.assertEqual(keys.overridden, ["apiKey"])
        self.assertIn("apiKey", keys.warning)
        self.assertNotIn("another", keys.warning)
