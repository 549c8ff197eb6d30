"""What the worker's own .env holds, and when it wins over posted keys."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.credentials import VARIABLES, name_more
from gateway.worker.own_env import (
    LARGEST,
    MOST,
    MOST_FILES,
    OwnEnv,
    damaged,
    looks_secret,
    named,
    overridden,
)

POSTED = {name: f"posted-{field}" for field, names in VARIABLES.items() for name in names}


class OwnEnvTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.main = self.folder / "main.py"

    def secrets(self, text: str | bytes) -> list[str]:
        data = text if isinstance(text, bytes) else text.encode()
        (self.folder / ".env").write_bytes(data)
        return OwnEnv(self.folder).secrets(VARIABLES)

    def wins(self, source: str, text: str = "API_KEY=other\n", name: str = ".env") -> list[str]:
        self.main.write_text(source)
        (self.folder / name).write_text(text)
        return overridden(self.main, POSTED, VARIABLES)

    def test_names_that_look_like_secrets(self) -> None:
        for name in (
            *("SHIOAJI_SECRET_KEY", "API_KEY2", "LINE_CHANNEL_ACCESS_TOKEN", "DB_PASSWORD"),
            *("passwd", "MyPwd", "apikey", "DISCORD_WEBHOOK", "SLACK_WEBHOOK_URL", "SENTRY_DSN"),
            *("CA_PASSPHRASE", "googleCredentials", "BASIC_AUTH", "SecretKey"),
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
        many = "".join(f"K{number}_KEY=secret-{number}\n" for number in range(MOST + 50))
        self.assertEqual(len(self.secrets(many)), MOST)
        self.assertEqual(self.secrets("A_KEY=" + "x" * LARGEST), [])
        (self.folder / ".env").unlink()
        (self.folder / ".env").symlink_to(self.folder / ".env")
        self.assertEqual(OwnEnv(self.folder).secrets(VARIABLES), [])

    def test_a_file_that_is_loaded_over_the_environment_wins(self) -> None:
        use = "key = os.environ['API_KEY']\n"
        for load in (
            "load_dotenv(override=True)",
            "dotenv.load_dotenv('.env', override=True)",
            "load_dotenv(find_dotenv(), None, False, True)",
            "config = dotenv_values()",
            "os.environ.update(dotenv_values('.env'))",
            "env.read_env(overwrite=True)",
            "load_dotenv(override=OVERRIDE)",
        ):
            self.assertEqual(self.wins(f"{load}\n{use}"), ["apiKey"], load)
        for load in (
            "load_dotenv()",
            "load_dotenv(override=False)",
            "load_dotenv('.env')",
            "",
            "(",
        ):
            self.assertEqual(self.wins(f"{load}\n{use}"), [], load)

    def test_only_of_other_values_that_the_worker_reads(self) -> None:
        load = "load_dotenv(override=True)\n"
        self.assertEqual(self.wins(load + "API_KEY", f"API_KEY={POSTED['API_KEY']}\n"), [])
        self.assertEqual(self.wins(load + "API_KEY", "SJ_KEY=other\n"), [])
        self.assertEqual(self.wins(load + "API_KEY, SECRET_KEY", "SECRET_KEY=x\n"), ["secretKey"])
        self.assertEqual(overridden(self.main, {}, VARIABLES), [], "nothing was posted")

    def test_another_file_may_be_the_one_that_wins(self) -> None:
        (self.folder / "conf").mkdir()
        source = "load_dotenv('conf/keys.env', override=True)\nAPI_KEY"
        self.assertEqual(self.wins(source, name="conf/keys.env"), ["apiKey"])

    def test_modules_of_the_workers_own_are_read_too(self) -> None:
        (self.folder / "src").mkdir()
        (self.folder / "src" / "conf.py").write_text("load_dotenv(override=True)\nAPI_KEY\n")
        self.assertEqual(self.wins("import conf\n"), [])
        roots = (self.folder / "src",)
        self.assertEqual(overridden(self.main, POSTED, VARIABLES, roots), ["apiKey"])
        (self.folder / "keys.py").write_text("dotenv_values()['API_KEY']\n")
        self.assertEqual(self.wins("from keys import *\n"), ["apiKey"])

    def test_files_that_main_py_names_are_known(self) -> None:
        self.main.write_text("load_dotenv('a.env')\nx = dotenv_values(dotenv_path=\"b.env\")\n")
        (self.folder / "a.env").write_text("BOT_TOKEN=a-secret\n")
        secrets = [secret for env in named(self.main) for secret in env.secrets(VARIABLES)]
        self.assertEqual(secrets, ["a-secret"])
        self.main.write_text("".join(f"load_dotenv('{n}.env')\n" for n in range(1000)))
        self.assertEqual(len(named(self.main)), MOST_FILES)

    def test_keys_under_names_that_nobody_sets_are_not_those_that_were_posted(self) -> None:
        source = "load_dotenv()\nlogin(os.getenv('BROKER_KEY'), os.getenv('BROKER_SECRET'))\n"
        text = "BROKER_KEY=a\nBROKER_SECRET=b\nBOT_TOKEN=c\n"
        self.assertEqual(self.wins(source, text), ["apiKey", "secretKey"])
        more = name_more(["apiKey=BROKER_KEY", "secretKey=BROKER_SECRET"])
        posted = {name: "posted" for names in more.values() for name in names}
        self.assertEqual(overridden(self.main, posted, more), [])
        both = "API_KEY, SECRET_KEY\nTELEGRAM_KEY"
        self.assertEqual(self.wins(both, "TELEGRAM_KEY=x\n"), [], "it is for something else")

    def test_damage_that_nobody_sees(self) -> None:
        self.assertEqual(list(damaged("a key")), [])
        self.assertEqual(len(list(damaged("\ufeffa key\r"))), 2)
