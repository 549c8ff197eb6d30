"""What the worker's own .env holds."""

from __future__ import annotations

import errno
from pathlib import Path
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.keys.credentials import VARIABLES
from gateway.worker.keys.own_files import MAX_FILE_BYTES, MAX_SECRETS, OwnEnv, damaged, looks_secret


class OwnEnvTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.main = self.folder / "main.py"

    def secrets(self, text: str | bytes) -> list[str]:
        data = text if isinstance(text, bytes) else text.encode()
        (self.folder / ".env").write_bytes(data)
        return OwnEnv(self.folder).secrets(VARIABLES)

    def test_names_that_look_like_secrets(self) -> None:
        for name in (
            *("SHIOAJI_SECRET_KEY", "API_KEY2", "LINE_CHANNEL_ACCESS_TOKEN", "DB_PASSWORD"),
            *("passwd", "MyPwd", "apikey", "DISCORD_WEBHOOK", "SLACK_WEBHOOK_URL", "SENTRY_DSN"),
            *("CA_PASSPHRASE", "googleCredentials", "BASIC_AUTH", "SecretKey"),
            *("SJ_PW", "PERSON_ID", "sj_person_id", "SESSION_ID", "API_KEYS", "永豐金鑰"),
        ):
            self.assertTrue(looks_secret(name), name)
        for name in (
            *("CODES", "CA_CERT_PATH", "TOKEN_FILE", "KEY_FIELD", "SECRET_NAME", "USER_ID"),
            *("TIMEOUT_SEC", "MAX_TOKENS", "KEYBOARD_LAYOUT", "AUTHOR", "", "_", "1"),
        ):
            self.assertFalse(looks_secret(name), name)

    def test_their_values_are_secrets_and_harmless_ones_are_not(self) -> None:
        found = self.secrets(
            "SHIOAJI_SECRET_KEY=one-secret\nexport BOT_TOKEN='two secret'\nCODES=TXFR1\n"
            "USE_TOKEN=true\nKEY_COUNT=7\nCA_CERT_PATH=/a.pfx\nSJ_SEC=ab\n"
            "DATABASE_URL=postgres://me:three@host/db\nURL=http://[\nDB_PASSWORD=${BOT_TOKEN}!\n"
        )
        expected = ["one-secret", "two secret", "ab", "three", "${BOT_TOKEN}!", "two secret!"]
        self.assertEqual(sorted(found), sorted(expected))

    def test_files_as_windows_leaves_them(self) -> None:
        for text in (
            "\ufeffBOT_TOKEN=a-secret\r\nX=1\r\n".encode(),
            b"# \xaa\xf7\xc6_\nBOT_TOKEN=a-secret\n",
        ):
            self.assertEqual(self.secrets(text), ["a-secret"])

    def test_what_is_too_much_or_can_not_be_read_costs_nothing(self) -> None:
        many = "".join(f"K{number}_KEY=secret-{number}\n" for number in range(MAX_SECRETS + 50))
        self.assertEqual(len(self.secrets(many)), MAX_SECRETS)
        self.assertEqual(self.secrets("A_KEY=" + "x" * MAX_FILE_BYTES), [])
        (self.folder / ".env").unlink()
        (self.folder / ".env").symlink_to(self.folder / ".env")
        self.assertEqual(OwnEnv(self.folder).secrets(VARIABLES), [])

    def test_what_can_not_be_read_now_is_not_taken_for_nothing(self) -> None:
        (self.folder / ".env").write_text("A_KEY=secret")
        for number in (errno.EIO, errno.EMFILE):
            with patch.object(Path, "open", side_effect=OSError(number, "x")):
                self.assertRaises(OSError, OwnEnv, self.folder)
        with patch.object(Path, "open", side_effect=PermissionError(errno.EACCES, "x")):
            self.assertEqual(OwnEnv(self.folder).text, "")

    def test_damage_that_nobody_sees(self) -> None:
        self.assertEqual(list(damaged("a key")), [])
        self.assertEqual(len(list(damaged("\ufeffa key\r"))), 2)
