"""Faults of the worker's Python, main.py, its packages and its login."""

import os
import sys
from pathlib import Path

from tests.ops.doctor.world import MAIN, DoctorTestCase

CLIENT = ("socketio", "requests", "websocket")


class WorkerTests(DoctorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.stub = None

    def test_a_healthy_worker(self) -> None:
        self.install(*CLIENT, "shioaji-1.7.9")
        code, lines = self.check()
        self.assertEqual((code, [line for line in lines if line.level != "ok"]), (0, []))
        (python,) = [line for line in lines if line.topic == "python"]
        self.assertIn(f"{self.folder}/.venv/bin/python, ", python.what)
        self.assertIn("(beside main.py)", python.what)
        _, packages = [line for line in lines if line.topic == "packages"]  # after our own
        self.assertIn("shioaji 1.7.9", packages.what)

    def test_main_py_is_missing(self) -> None:
        self.main.unlink()
        self.assert_found(self.found("main.py"), "fail", "it is missing", "--main")
        given = self.found("main.py", main=Path("elsewhere.py"))
        self.assert_found(given, "fail", "elsewhere.py", "--main")

    def test_main_py_does_not_compile(self) -> None:
        self.install(*CLIENT, "shioaji-1.7.9")
        self.main.write_text("import socketio\nprint 'hello'\n")
        self.assert_found(self.found("main.py"), "fail", "line 2", "correct")
        self.main.write_bytes(b"\0")
        self.assert_found(self.found("main.py"), "fail", "does not compile", "correct")
        self.main.write_text("x = " + "-" * 200_000 + "1\n")
        self.assert_found(self.found("main.py"), "fail", "nested too deeply", "deepest")

    def test_a_return_outside_of_functions_does_not_compile_either(self) -> None:
        self.install(*CLIENT, "shioaji-1.7.9")
        self.main.write_text("import socketio\nreturn\n")
        self.assert_found(self.found("main.py"), "fail", "line 2", "correct")

    def test_python_is_in_a_closed_folder(self) -> None:
        stat = Path.stat

        def closed(path: Path, **how: bool) -> os.stat_result:
            if path.name in ("python", "mine"):
                raise PermissionError(13, "Permission denied", str(path))
            return stat(path, **how)

        self.patch(Path, "stat", closed)
        for changes in ({}, {"python": "./mine"}):
            line = self.found("python", **changes)
            self.assert_found(line, "fail", "can't be looked at: Permission denied", "--python")

    def test_python_is_missing(self) -> None:
        line = self.found("python", python="./no/such/python")
        self.assert_found(line, "fail", "it is missing", "--python")
        self.assertIn("apt install", line.cure)

    def test_python_does_not_run(self) -> None:
        broken = self.folder / ".venv" / "bin" / "python"
        broken.parent.mkdir(parents=True)
        broken.write_text("#!/nowhere/python\n")
        broken.chmod(0o755)
        self.assert_found(self.found("python"), "fail", "does not run", "python3 -m venv")

    def test_an_old_python(self) -> None:
        old = self.answering(version="3.7.2", missing=[], shioaji="1.0.0")
        self.assert_found(self.found("python", python=old), "warn", "3.7.2", "--python")

    def test_which_python_and_why(self) -> None:
        python = self.install(*CLIENT, "shioaji-1.7.9")
        self.assertIn("named by --python", self.found("python", python=str(python)).what)
        (self.folder / ".venv").rename(self.folder / "elsewhere")
        (self.folder / "python3").symlink_to("elsewhere/bin/python")
        self.environ["PATH"] = f"{self.folder}/elsewhere/bin"
        (self.folder / "elsewhere" / "bin" / "python3").symlink_to("python")
        line = self.found("python", main=self.other_main())
        self.assertIn(f"{self.folder}/elsewhere/bin/python3", line.what)
        self.assertIn("the first python3 in PATH", line.what)
        self.environ["PATH"] = ""
        line = self.found("python", main=self.other_main())
        self.assertIn(f"{sys.executable}, ", line.what)
        self.assertIn("the gateway's own", line.what)

    def other_main(self) -> Path:
        """main.py in a folder without an interpreter."""
        folder = self.folder / "worker"
        folder.mkdir(exist_ok=True)
        (folder / "main.py").write_text(MAIN)
        return folder / "main.py"

    def test_packages_are_missing(self) -> None:
        python = self.install("requests", "websocket", "shioaji-1.7.9")
        line = self.found("packages")
        self.assert_found(line, "fail", "main.py imports socketio", str(python))
        self.assertIn("-m pip install 'python-socketio[client]'", line.cure)

    def test_our_own_package_is_missing(self) -> None:
        self.install(*CLIENT)
        self.main.write_text("from gateway.client.rule import Rule\n")
        line = self.found("packages")
        self.assert_found(line, "fail", "gateway, the package of sjgateway", "-m pip install -e")

    def test_a_package_that_is_missing_matters_only_where_it_is_needed(self) -> None:
        self.install(*CLIENT)
        self.main.write_text(
            "import socketio\ntry:\n    import shioaji\nexcept ImportError: pass\n"
        )
        self.assert_found(self.found("packages"), "warn", "shioaji", "pip install shioaji")
        self.assertEqual(self.found("packages", demo=True).level, "ok")

    def test_a_client_without_what_it_connects_by(self) -> None:
        self.install("socketio", "requests", "shioaji-1.7.9")
        line = self.found("packages")
        self.assert_found(line, "warn", "does not have websocket", "python-socketio[client]")

    def test_what_is_in_pythonpath_counts_as_it_does_for_the_worker(self) -> None:
        self.install("requests", "websocket", "shioaji-1.7.9")
        (self.folder / "more").mkdir()
        (self.folder / "more" / "socketio.py").touch()
        self.environ["PYTHONPATH"] = str(self.folder / "more")
        self.assertEqual(self.found("packages").level, "ok")

    def source(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def test_files_of_its_own_are_followed(self) -> None:
        self.main.write_text("from src import feed")
        self.source("src/feed.py", "import socketio, shioaji")
        self.stub = self.answering(version="3.12.1", missing=["shioaji"], shioaji="")
        self.assert_found(self.found("packages"), "fail", "imports shioaji", "pip install")

    def test_its_own_files_where_its_python_does_not_look(self) -> None:
        self.install(*CLIENT)
        self.source("app/main.py", "import socketio\nfrom trader import feed\nimport tools")
        self.source("src/trader.py", "")
        self.source("tools.py", "import trader")
        given = {"python": None, "main": self.folder / "app" / "main.py"}
        path = f"{self.folder}:{self.folder}/src"
        line = self.found("packages", **given)
        self.assert_found(line, "fail", f"imports tools, trader from {path}", f"PYTHONPATH={path}")
        self.environ["PYTHONPATH"] = path
        self.assertEqual(self.found("packages", **given).level, "ok")

    def test_a_module_that_its_python_does_not_find(self) -> None:
        self.install(*CLIENT)
        self.source("src/trader.py", "import socketio")
        given = {"python": None, "module": "trader"}
        line = self.found("packages", **given)
        self.assert_found(line, "fail", "no module trader", "--cwd")
        self.assertEqual(self.found("packages", cwd=self.folder / "src", **given).level, "ok")
        self.environ["PYTHONPATH"] = str(self.folder / "src")
        self.assertEqual(self.found("packages", **given).level, "ok")

    def test_a_login_in_a_file_of_its_own(self) -> None:
        self.main.write_text("import broker")
        self.source("broker.py", "\n\napi.login(fetch_contract=True)")
        self.stub = self.answering(version="3.12.1", missing=[], shioaji="1.7.9")
        lines = [line for line in self.check()[1] if line.topic == "login"]
        self.assertEqual([line.level for line in lines], ["ok", "fail"])
        self.assert_found(
            lines[1], "fail", "broker.py calls login() with fetch_contract (line 3)", "leave"
        )

    def test_a_broken_environment_is_said(self) -> None:
        (self.folder / ".venv" / "bin").mkdir(parents=True)
        (self.folder / ".venv" / "bin" / "python").symlink_to("/nowhere/python3.9")
        lines = [line for line in self.check(python=None)[1] if line.topic == "python"]
        self.assert_found(lines[0], "warn", "/nowhere/python3.9, which is not there", "venv")

    def test_the_environment_of_the_project(self) -> None:
        self.source("src/main.py", "import socketio")
        self.install("socketio", "requests", "websocket")
        line = self.found("python", python=None, main=self.folder / "src" / "main.py")
        self.assertIn("of its project", line.what)

    def test_another_command(self) -> None:
        program = self.folder / "run"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        self.assert_found(self.found("python", command=("run",)), "ok", str(program), "")
        self.assert_found(self.found("python", command=("walk",)), "fail", "walk", "--command")
        self.assert_found(
            self.found("main.py", module="trader.app"), "ok", "-m trader.app is run in", ""
        )

    def test_main_py_is_never_run(self) -> None:
        self.install(*CLIENT, "shioaji-1.7.9")
        self.main.write_text(f"{MAIN}open({str(self.folder / 'ran')!r}, 'w')\n")
        self.check()
        self.assertFalse((self.folder / "ran").exists())

    def test_nothing_about_a_worker_where_there_is_none(self) -> None:
        self.main.unlink()
        code, lines = self.check(no_worker=True)
        self.assertEqual(code, 0)
        self.assertFalse({"python", "main.py", "keys"} & {line.topic for line in lines})

    def test_a_main_py_that_cannot_be_read(self) -> None:
        self.install(*CLIENT, "shioaji-1.7.9")
        if os.geteuid() == 0:
            self.patch(Path, "read_bytes", self.denied)
        else:
            self.main.chmod(0)
        self.assert_found(self.found("main.py"), "fail", "can't be read", "chmod")

    def denied(self, *_: object) -> bytes:
        raise PermissionError(13, "Permission denied")


class LoginTests(DoctorTestCase):
    CALL = MAIN.replace("secret_key=''", "secret_key='', contracts_timeout=10000")

    def setUp(self) -> None:
        super().setUp()
        self.stub = None

    def login(self, call: str, *packages: str) -> object:
        self.install(*CLIENT, *packages)
        self.main.write_text(call)
        return self.found("login")

    def test_an_argument_that_the_installed_version_dropped(self) -> None:
        line = self.login(self.CALL, "shioaji-1.7.0")
        self.assert_found(line, "fail", "contracts_timeout (line 4), but shioaji 1.7.0", "<1.7")

    def test_all_of_them_in_any_version_since(self) -> None:
        call = self.CALL.replace("contracts_timeout", "fetch_contract=False, contracts_timeout")
        line = self.login(call, "shioaji-2.0.1")
        self.assert_found(line, "fail", "contracts_timeout and fetch_contract", "leave")

    def test_a_version_that_takes_it(self) -> None:
        line = self.login(self.CALL, "shioaji-1.2.5")
        self.assertEqual(line.level, "ok")
        self.assertIn("1.2.5", line.what)

    def test_a_version_that_is_not_known(self) -> None:
        self.assert_found(self.login(self.CALL), "warn", "contracts_timeout", "<1.7")

    def test_other_calls_with_such_an_argument_are_fine(self) -> None:
        call = MAIN + "connect(contracts_timeout=1)\n"
        self.assertEqual(self.login(call, "shioaji-1.7.9").level, "ok")

    def test_the_reference_workers_own_is_fine(self) -> None:
        source = (Path(__file__).parents[3] / "gateway/client/broker.py").read_text("utf-8")
        self.assertIn("api.login(", source)
        for version in ("shioaji-1.2.5", "shioaji-1.7.9"):
            with self.subTest(version=version):
                folder = self.folder / ".venv"
                if folder.exists():
                    folder.rename(self.folder / "before")
                self.assertEqual(self.login(source, version).level, "ok")
