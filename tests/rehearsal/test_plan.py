"""What a worker is given so that it rehearses."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.client.console import Redactor
from gateway.market.hours import TAIPEI
from gateway.rehearsal.plan import STAND_IN, environment
from gateway.rehearsal.script import parse
from gateway.replay.wishes import Place
from gateway.worker.keys.credentials import VARIABLES
from tests.rehearsal.recorded import BEGIN, FUTURE, tick, write


class EnvironmentTests(SynchronousTestCase):
    def given(
        self, environ: dict[str, str] | None = None, begin: str = "", recording: Path | None = None
    ) -> dict[str, str]:
        if recording is None:
            contract, first = ["market_contract", FUTURE], tick(5, "TXFL6", 7)
            recording = write(Path(self.mktemp()), [(0, contract), (5, first)])
        self.state = Path(self.mktemp())
        return environment(
            recording,
            begin=Place.read(begin) if begin else None,
            faults=parse("09:05 hang 3"),
            shioaji="1.2",
            speed=10.0,
            state=self.state,
            environ=environ or {},
            variables=VARIABLES,
        )

    def test_the_day_begins_with_the_first_quote_or_where_it_is_asked_for(self) -> None:
        plan = json.loads(self.given()["SJGATEWAY_REHEARSAL"])
        self.assertEqual((plan["at"], plan["speed"]), (BEGIN + 5, 10))
        self.assertEqual(plan["faults"], [[BEGIN + 300, "hang", 3, "09:05 hang 3"]])
        plan = json.loads(self.given(begin="09:10")["SJGATEWAY_REHEARSAL"])
        self.assertEqual(plan["at"], BEGIN + 600)
        self.assertGreater(plan["faults"][0][0], BEGIN + 80_000, "on the day after")

    def test_keys_are_made_up_only_where_there_are_none(self) -> None:
        given = self.given()
        self.assertEqual(given["SJ_SEC"], given["SECRET_KEY"])
        self.assertTrue(Path(given["CA_CERT_PATH"]).exists())
        redact = Redactor(each for name, each in given.items() if "KEY" in name or "PASS" in name)
        self.assertEqual(redact("REHEARSAL: of an API_KEY"), "REHEARSAL: of an API_KEY")
        given = self.given({"SJ_KEY": "k"})
        self.assertNotIn("API_KEY", given)
        self.assertIn("SECRET_KEY", given)

    def test_what_is_wrong_with_a_recording_is_said_with_its_name(self) -> None:
        for path in (Path("/nonexistent/day"), Path(__file__), Path(__file__).parent):
            said = str(self.assertRaises(ValueError, self.given, recording=path))
            self.assertIn(f"{path} can't be rehearsed: ", said)

    def test_what_a_worker_keeps_is_elsewhere_and_its_path_goes_on(self) -> None:
        given = self.given({"PYTHONPATH": "/mine"})
        self.assertEqual(given["PYTHONPATH"], f"{STAND_IN}{os.pathsep}/mine")
        self.assertEqual(given["SJGATEWAY_STATE_DIR"], str(self.state))

    def test_a_python_without_any_package_logs_in(self) -> None:
        script = (
            "import sys; import shioaji; api = shioaji.Shioaji(); api.login('k', 's');"
            "print(shioaji.__version__, [c.code for c in api.Contracts.Futures.TXF]); api.logout()"
        )
        done = subprocess.run(
            [sys.executable, "-S", "-c", script],
            env={"PATH": os.environ["PATH"], **self.given()},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.stdout, "1.2.9 ['TXFR1', 'TXFL6']\n", done.stderr)
        self.assertEqual((self.state / "notes").read_text().count("began"), 1)


class StandInTests(SynchronousTestCase):
    def test_it_imports_nothing_but_pythons_library_and_itself(self) -> None:
        may = sys.stdlib_module_names | {"rehearsed", "shioaji"}
        without_network = may - {"socket", "ssl", "http", "urllib", "asyncio", "socketserver"}
        for path in STAND_IN.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom):
                    names = [node.module or ""]
                for name in names:
                    self.assertIn(name.partition(".")[0], without_network, str(path))

    def test_the_day_is_taipeis(self) -> None:
        self.assertEqual(TAIPEI.utcoffset(None).total_seconds(), 8 * 3600)
