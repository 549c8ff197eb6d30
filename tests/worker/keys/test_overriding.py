"""When the worker's own .env wins over posted keys."""

from __future__ import annotations

import ast
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.keys.credentials import VARIABLES, name_more
from gateway.worker.keys.overriding import MAX_FILES, Load, loads, named, overridden
from gateway.worker.keys.own_files import MAX_SOURCE_LENGTH

POSTED = {name: f"posted-{field}" for field, names in VARIABLES.items() for name in names}


class OverridingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.main = self.folder / "main.py"

    def wins(self, source: str, text: str = "API_KEY=other\n", name: str = ".env") -> list[str]:
        self.main.write_text(source)
        (self.folder / name).write_text(text)
        return overridden(self.main, POSTED, VARIABLES)

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

    def test_keys_that_are_written_in_the_source_win(self) -> None:
        self.assertEqual(self.wins("api.login(api_key='mine', secret_key=key)", ""), ["apiKey"])
        same = POSTED["API_KEY"]
        self.assertEqual(self.wins(f"api.login(api_key={same!r})", ""), [])
        (self.folder / "broker.py").write_text("api.login(api_key='mine')\n")
        self.assertEqual(self.wins("import broker\n", ""), ["apiKey"])

    def test_files_that_main_py_names_are_known(self) -> None:
        self.main.write_text("load_dotenv('a.env')\nx = dotenv_values(dotenv_path=\"b.env\")\n")
        (self.folder / "a.env").write_text("BOT_TOKEN=a-secret\n")
        secrets = [secret for env in named(self.main) for secret in env.secrets(VARIABLES)]
        self.assertEqual(secrets, ["a-secret"])
        self.main.write_text("".join(f"load_dotenv('{n}.env')\n" for n in range(1000)))
        self.assertEqual(len(named(self.main)), MAX_FILES)

    def test_keys_under_names_that_nobody_sets_are_not_those_that_were_posted(self) -> None:
        source = "load_dotenv()\nlogin(os.getenv('BROKER_KEY'), os.getenv('BROKER_SECRET'))\n"
        text = "BROKER_KEY=a\nBROKER_SECRET=b\nBOT_TOKEN=c\n"
        self.assertEqual(self.wins(source, text), ["apiKey", "secretKey"])
        more = name_more(["apiKey=BROKER_KEY", "secretKey=BROKER_SECRET"])
        posted = {name: "posted" for names in more.values() for name in names}
        self.assertEqual(overridden(self.main, posted, more), [])
        both = "API_KEY, SECRET_KEY\nTELEGRAM_KEY"
        self.assertEqual(self.wins(both, "TELEGRAM_KEY=x\n"), [], "it is for something else")

    def test_loading_has_many_spellings(self) -> None:
        use = "\nkey = os.environ['API_KEY']\n"
        for load in (
            "from dotenv import load_dotenv as load\nload(override=True)",
            "load_dotenv(override=True, encoding='utf-8')",
            "type Key = str\nload_dotenv(override=True)",
            "for line in open('.env'):\n    n, _, v = line.partition('=')\n    os.environ[n] = v",
            "os.environ.update(parse(Path('.env').read_text()))",
            "config = {**os.environ, **dotenv_values()}",
            "config = os.environ | dotenv_values()",
        ):
            self.assertEqual(self.wins(load + use), ["apiKey"], load)
        for load in (
            "config = {**dotenv_values(), **os.environ}",
            "config = dotenv_values() | os.environ",
            "for n, v in read('.env'):\n    os.environ.setdefault(n, v)",
            "for n, v in read('.env'):\n    if n not in os.environ:\n        os.environ[n] = v",
            "os.environ[name] = read('state.json')",
            "# load_dotenv(override=True)",
        ):
            self.assertEqual(self.wins(load + use), [], load)

    def test_a_source_that_takes_long_to_parse_is_judged_by_its_words(self) -> None:
        long = "x = 1\n" * (MAX_SOURCE_LENGTH // 6 + 1)
        self.patch(ast, "parse", lambda source: self.fail("it is parsed"))
        for load, wins in (("load_dotenv(override=True)", True), ("load_dotenv()", False)):
            self.assertEqual(loads(f"{load}\n{long}", self.folder), [Load(None, wins=wins)])

    def test_where_the_file_is_may_be_put_together(self) -> None:
        (self.folder / "conf").mkdir()
        for path in (
            "Path(__file__).parent / 'conf' / 'keys.env'",
            "os.path.join(os.path.dirname(__file__), 'conf', 'keys.env')",
            "find_dotenv('conf/keys.env')",
            "FILE",
        ):
            source = (
                f"HERE = 'conf'\nFILE = Path(HERE) / 'keys.env'\nload_dotenv({path}, override=True)"
            )
            self.assertEqual(
                self.wins(f"{source}\nAPI_KEY", name="conf/keys.env"), ["apiKey"], path
            )
        above = "load_dotenv(Path(__file__).parent.parent / '.env', override=True)\nAPI_KEY"
        main = self.folder / "conf" / "main.py"
        main.write_text(above)
        (self.folder / ".env").write_text("API_KEY=other\n")
        self.assertEqual(overridden(main, POSTED, VARIABLES), ["apiKey"])

    def test_names_that_the_program_puts_together(self) -> None:
        source = "load_dotenv(override=True)\nkey = os.environ[f'{brand}_KEY']\n"
        self.assertEqual(self.wins(source), ["apiKey"])
        self.assertEqual(self.wins(source.replace("True", "False")), [])
