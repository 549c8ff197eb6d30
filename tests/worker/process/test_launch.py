"""Which main.py, which Python, which environment."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

from twisted.internet import reactor
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase

from gateway.common.credentials import Credentials
from gateway.contract import LaunchError, UnreachableError
from gateway.worker.keys.credentials import VARIABLES
from gateway.worker.process.installed import Program
from gateway.worker.process.launch import Launcher
from gateway.worker.process.target import Venvs, look
from gateway.worker.sources import MAX_FILES, Sources, follow
from tests.worker.fakes import settings

if TYPE_CHECKING:
    from gateway.worker.process.guarded import Command


def imports(main: Path) -> tuple[set[str], set[str]]:
    sources = follow(main)
    return sources.needed, sources.optional


KEYS = Credentials("api-key", "secret", "cert.pfx", "password")


class Folder:
    """A folder of files."""

    def __init__(self, path: str) -> None:
        self.path = Path(path).absolute()
        self.path.mkdir(parents=True)

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def write(self, name: str, text: str = "") -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def program(self, name: str, text: str) -> Path:
        path = self.write(name, text)
        path.chmod(0o755)
        return path

    def python(self, name: str, *has: str) -> Path:
        """A python3 that says it has the modules `has`, none else."""
        known = " ".join(has)
        return self.program(
            name,
            f"""#!/bin/sh
echo "$@" >> {self.path}/asked
shift 2
missing=
for module; do
  case " {known} " in *" $module "*) ;; *) missing="$missing,\\"$module\\"";; esac
done
echo "{{\\"version\\": \\"3.11.0\\", \\"missing\\": [${{missing#,}}], \\"shioaji\\": \\"\\"}}"
""",
        )

    @property
    def asked(self) -> int:
        path = self.path / "asked"
        return path.read_text().count("find_spec") if path.exists() else 0


class LauncherTestCase(TestCase):
    def setUp(self) -> None:
        self.folder = Folder(self.mktemp())
        (self.folder / ".git").mkdir()  # its own project, wherever the tests run

    def launcher(self, environ: dict[str, str] | None = None, **changes: object) -> Launcher:
        return Launcher(settings(**changes), environ or {"PATH": ""}, self.folder.path, reactor)

    async def python(self, launcher: Launcher) -> str:
        return (await launcher.command(None, "")).argv[0]


class GivenTests(LauncherTestCase):
    async def test_what_is_given_wins_and_the_rest_is_as_it_is_now(self) -> None:
        self.folder.write("main.py")
        environ = {"PATH": "", "LEAVES": "1", "A": "mine"}
        launcher = self.launcher(environ, given={"A": "given"}, python=sys.executable)
        del environ["LEAVES"]
        env = (await launcher.command(None, "")).env
        self.assertEqual(env["A"], "given")
        self.assertNotIn("LEAVES", env)


class MainTests(LauncherTestCase):
    def test_the_one_that_is_named(self) -> None:
        main = self.folder.write("sub/worker.py")
        self.folder.write("main.py")
        for given in (main, Path("sub/worker.py")):
            self.assertEqual(self.launcher(main=given).main(), main)

    def test_else_the_one_here_else_the_one_above(self) -> None:
        above = self.folder.write("main.py")
        (self.folder / "gateway").mkdir()
        launcher = Launcher(settings(), {}, self.folder / "gateway", reactor)
        self.assertEqual(launcher.main(), above)
        here = self.folder.write("gateway/main.py")
        self.assertEqual(launcher.main(), here)

    def test_none_is_an_error_that_says_where_it_was_looked_for(self) -> None:
        error = self.assertRaises(LaunchError, self.launcher().main)
        self.assertIn(str(self.folder / "main.py"), error.details)
        self.assertIn("--main", error.details)
        error = self.assertRaises(LaunchError, self.launcher(main=Path("x.py")).main)
        self.assertIn(str(self.folder / "x.py"), error.details)
        self.assertRaises(LaunchError, self.launcher(main=self.folder.path).main)

    async def test_the_demonstration_needs_none(self) -> None:
        command = await self.launcher(mark="demo").command(None, "")
        ours = [sys.executable, "-u", "-m", "gateway.client", "--demo"]
        self.assertEqual(command.argv[: len(ours)], ours)
        self.assertEqual(Path(command.cwd), self.folder.path)
        self.assertTrue(self.launcher(mark="demo").main().is_file())
        self.assertRaises(LaunchError, self.launcher(mark="demo", main=Path("x.py")).main)


class GoneTests(LauncherTestCase):
    async def test_a_working_folder_that_was_deleted_is_named(self) -> None:
        folder = self.folder / "deep/gateway"
        launcher = Launcher(settings(), {"PATH": ""}, folder, reactor)
        self.assertIn(str(folder), self.assertRaises(LaunchError, launcher.check).details)

    async def test_what_can_not_be_looked_at_is_no_reason_to_give_up(self) -> None:
        launcher = self.launcher()

        def closed(*_: object) -> bool:
            raise PermissionError(13, "Permission denied", "main.py")

        self.patch(Path, "is_file", closed)
        error = self.assertRaises(UnreachableError, launcher.check)
        self.assertIn("Permission denied: main.py", error.details)
        await self.assertFailure(launcher.command(None, ""), UnreachableError)


class UnreachableTests(LauncherTestCase):
    """What can't be looked at now is not taken for what is not there."""

    def fails(self, path: Path, number: int = errno.EIO) -> None:
        stat = Path.stat

        def failing(each: Path, **how: bool) -> os.stat_result:
            if path in (each, *each.parents):
                raise OSError(number, os.strerror(number), str(each))
            return stat(each, **how)

        self.patch(Path, "stat", failing)

    async def refuses(self, launcher: Launcher, path: Path) -> None:
        error = await self.assertFailure(launcher.command(None, ""), OSError, UnreachableError)
        self.assertIn(str(path), str(error))

    async def test_the_python_and_the_command_that_are_named(self) -> None:
        main = self.folder.write("main.py")
        mine = self.folder.program("bin/mine", "")
        environ = {"PATH": f"{self.folder / 'empty'}:{mine.parent}"}
        for number in (errno.EIO, errno.EACCES, errno.ESTALE, errno.EMFILE):
            self.fails(mine.parent, number)
            for changes in (
                {"python": str(mine)},
                {"python": "bin/mine"},
                {"python": "mine"},
                {"command": ("mine", str(main))},
                {"command": ("bin/mine", str(main))},
            ):
                with self.subTest(number=number, **changes):
                    launcher = self.launcher(environ, **changes)
                    self.assertRaises(UnreachableError, launcher.check)
                    await self.refuses(launcher, mine)

    async def test_no_other_python_stands_in_for_that_of_the_project(self) -> None:
        self.folder.write("main.py")
        python = self.folder.program("venv/bin/python", "")
        for number in (errno.EIO, errno.EACCES):
            self.fails(python.parent, number)
            await self.refuses(self.launcher(), python)

    async def test_no_other_python_stands_in_for_the_one_that_was_found(self) -> None:
        self.folder.write("main.py", "import socketio")
        first = self.folder.python("one/python3", "socketio")
        second = self.folder.python("two/python3", "socketio")
        path = os.pathsep.join(str(each.parent) for each in (first, second))
        launcher = self.launcher({"PATH": path})
        self.assertEqual(await self.python(launcher), str(first))
        self.fails(first)
        await self.refuses(launcher, first)

    async def test_folders_of_others_in_path_are_passed_over(self) -> None:
        self.folder.write("main.py", "import socketio")
        others = self.folder.python("one/python3", "socketio")
        mine = self.folder.python("two/python3", "socketio")
        path = os.pathsep.join(str(each.parent) for each in (others, mine))
        self.fails(others.parent, errno.EACCES)
        self.assertEqual(await self.python(self.launcher({"PATH": path})), str(mine))
        named = self.launcher({"PATH": path}, python="python3")
        self.assertEqual(await self.python(named), str(mine))


class PythonTests(LauncherTestCase):
    async def test_the_one_that_is_named_by_path_or_name(self) -> None:
        self.folder.write("main.py")
        named = self.folder.program("bin/mine", "")
        self.folder.program("venv/bin/python", "")
        for given in (str(named), "bin/mine", "mine"):
            launcher = self.launcher({"PATH": str(named.parent)}, python=given)
            self.assertEqual(await self.python(launcher), str(named))

    async def test_one_that_is_missing_or_no_program_is_an_error(self) -> None:
        self.folder.write("main.py")
        self.folder.write("plain")
        for given in ("nowhere", "no/where", "./plain", str(self.folder.path)):
            launcher = self.launcher(python=given)
            self.assertIn(given, self.assertRaises(LaunchError, launcher.check).details)
            await self.assertFailure(launcher.command(None, ""), LaunchError)

    async def test_else_venv_else_dot_venv_beside_main_py(self) -> None:
        main = self.folder.write("sub/main.py")
        launcher = self.launcher(main=main)
        dotted = self.folder.program("sub/.venv/bin/python", "")
        self.assertEqual(await self.python(launcher), str(dotted))
        plain = self.folder.program("sub/venv/bin/python", "")
        self.assertEqual(await self.python(launcher), str(plain))

    async def test_what_was_to_be_run_is_told(self) -> None:
        main = self.folder.write("main.py")
        launcher = self.launcher()
        self.assertIsNone(launcher.program)
        python = self.folder.program("venv/bin/python", "")
        self.folder.write("venv/pyvenv.cfg", "version = 3.11.7\n")
        await launcher.command(None, "")
        self.assertEqual(launcher.program, Program(str(main), str(python), "3.11.7"))
        launcher = self.launcher(command=("/bin/sh", "-c", "exec feed --key=secret"))
        await launcher.command(None, "")
        self.assertEqual(launcher.program, Program("/bin/sh"))

    async def test_a_venv_that_is_broken_is_passed_over(self) -> None:
        self.folder.write("main.py")
        self.folder.write("venv/bin/python")
        self.assertEqual(await self.python(self.launcher()), sys.executable)

    async def test_else_the_first_in_path_that_has_what_main_py_imports(self) -> None:
        self.folder.write(
            "main.py", "import os, socketio.exceptions\nfrom dotenv import load_dotenv"
        )
        self.folder.python("one/python3", "socketio")
        able = self.folder.python("two/python3", "socketio", "dotenv")
        self.folder.python("three/python3", "socketio", "dotenv")
        path = os.pathsep.join(str(self.folder / name) for name in ("one", "", "two", "three"))
        self.assertEqual(await self.python(self.launcher({"PATH": path})), str(able))

    async def test_what_main_py_only_tries_to_import_is_second(self) -> None:
        self.folder.write(
            "main.py", "import socketio\ntry:\n  import ujson\nexcept ImportError: ..."
        )
        first = self.folder.python("one/python3", "socketio")
        second = self.folder.python("two/python3", "socketio", "ujson")
        for folders, found in (("one two", second), ("one", first)):
            path = os.pathsep.join(str(self.folder / name) for name in folders.split())
            self.assertEqual(await self.python(self.launcher({"PATH": path})), str(found))

    async def test_else_our_own(self) -> None:
        self.folder.write("main.py", "import socketio")
        self.folder.python("one/python3")
        self.folder.program("two/python3", "#!/nowhere/at/all")
        path = os.pathsep.join(str(self.folder / name) for name in ("one", "two"))
        self.assertEqual(await self.python(self.launcher({"PATH": path})), sys.executable)

    async def test_one_that_does_not_answer_is_passed_over(self) -> None:
        self.folder.write("main.py", "import socketio")
        self.folder.program("one/python3", "#!/bin/sh\nexec sleep 60")
        able = self.folder.python("two/python3", "socketio")
        path = os.pathsep.join((*(str(self.folder / name) for name in ("one", "two")), "/bin"))
        late = iter((0.0,))  # for the first one it is late at once
        impatient = Mock(
            spawnProcess=reactor.spawnProcess,
            callLater=lambda seconds, act: reactor.callLater(next(late, seconds), act),
        )
        launcher = Launcher(settings(), {"PATH": path}, self.folder.path, impatient)
        self.assertEqual(await self.python(launcher), str(able))

    async def test_the_search_is_made_once_until_main_py_changes(self) -> None:
        main = self.folder.write("main.py", "import socketio")
        self.folder.python("one/python3", "socketio", "dotenv")
        launcher = self.launcher({"PATH": str(self.folder / "one")})
        for _ in range(3):
            await self.python(launcher)
        asked = self.folder.asked
        main.write_text("import socketio, dotenv")
        await self.python(launcher)
        self.assertEqual((asked, self.folder.asked), (1, 2))

    async def test_a_real_python_is_asked(self) -> None:
        self.folder.write("main.py", "import twisted, attrs")
        self.folder.program("one/python3", f'#!/bin/sh\nexec {sys.executable} "$@"')
        environ = {**os.environ, "PATH": str(self.folder / "one")}
        asked = str(self.folder / "one" / "python3")
        self.assertEqual(await self.python(self.launcher(environ)), asked)
        self.folder.write("main.py", "import no_such_module_at_all")
        self.assertEqual(await self.python(self.launcher(environ)), sys.executable)


class ImportsTests(SynchronousTestCase):
    def test_needed_and_tried(self) -> None:
        folder = Folder(self.mktemp())
        folder.write("beside.py")
        folder.write("package/__init__.py")
        main = folder.write(
            "main.py",
            """
import __main__, os, sys, a.b, beside, package.module
from c import d
from . import e
from .f import g
try:
    import h
    from i.j import k
except ImportError:
    import l
if True:
    import m
def late():
    import n
""",
        )
        self.assertEqual(imports(main), ({"a", "c"}, {"h", "i"}))

    def test_what_is_no_python_needs_nothing(self) -> None:
        folder = Folder(self.mktemp())
        for text in ("import (", "\0", "import a\nx = " + "-" * 200_000 + "1"):
            self.assertEqual(imports(folder.write("main.py", text)), (set(), set()))

    def test_in_a_folder_that_can_not_be_listed_nothing_is_known(self) -> None:
        main = Folder(self.mktemp()).write("main.py", "import a\n")
        self.patch(Path, "iterdir", Mock(side_effect=PermissionError))
        self.assertEqual(imports(main), (set(), set()))


class ProjectTests(LauncherTestCase):
    """A virtual environment above main.py."""

    async def test_the_nearest_one_up_to_the_projects_root(self) -> None:
        main = self.folder.write("src/app/main.py")
        launcher = self.launcher({"PATH": str(self.folder / "bin")}, main=main)
        elsewhere = self.folder.python("bin/python3")
        for name in (".venv", "src/venv", "src/app/.venv"):
            python = self.folder.program(f"{name}/bin/python", "")
            self.assertEqual(await self.python(launcher), str(python))
        (self.folder / "src" / "pyproject.toml").touch()
        for name in ("src/venv", "src/app/.venv"):
            (self.folder / name / "bin" / "python").unlink()
        self.assertEqual(await self.python(launcher), str(elsewhere), "not above the project")

    async def test_a_broken_one_is_said_and_another_python_runs_the_worker(self) -> None:
        said: list[dict] = []
        globalLogPublisher.addObserver(said.append)
        self.addCleanup(globalLogPublisher.removeObserver, said.append)
        main = self.folder.write("main.py")
        elsewhere = self.folder.python("bin/python3")
        (self.folder / ".venv" / "bin").mkdir(parents=True)
        (self.folder / ".venv" / "bin" / "python").symlink_to("/nowhere/python3.9")
        launcher = self.launcher({"PATH": str(self.folder / "bin")}, main=main)
        self.assertEqual(await self.python(launcher), str(elsewhere))
        (line,) = [formatEvent(event) for event in said if event.get("tag") == "Python"]
        self.assertIn("/nowhere/python3.9, which is not there", line)
        self.assertIn(str(elsewhere), line)

    def test_what_is_broken(self) -> None:
        self.folder.write("venv/notes.py")
        self.assertEqual(look(self.folder.path), Venvs())
        (self.folder / ".venv").symlink_to("gone")
        self.folder.write("venv/pyvenv.cfg")
        first, second = look(self.folder.path).broken
        self.assertIn("has no bin/python", first)
        self.assertIn("a link to gone", second)
        python = self.folder.write("venv/bin/python")
        self.assertIn("can't be run", look(self.folder.path).broken[0])
        python.chmod(0o755)
        self.assertEqual(look(self.folder.path), Venvs(str(python)))


class SourcesTests(LauncherTestCase):
    """Files of the worker's own."""

    def follow(self, **changes: object) -> tuple[set[str], Sources]:
        sources = self.launcher(**changes).sources()
        folder = self.folder.path
        return {str(path.relative_to(folder)) for path in sources.files}, sources

    def test_they_are_followed_by_every_kind_of_import(self) -> None:
        self.folder.write("main.py", "from src import feed\nimport helper\nimport pack.deep.leaf")
        self.folder.write("helper.py", "def late():\n    import src.later")
        self.folder.write("src/feed.py", "from .near import x\nimport shioaji")
        self.folder.write("src/near.py", "import other")
        self.folder.write("src/later.py", "import never_needed")
        self.folder.write("src/unused.py", "import unused")
        self.folder.write("pack/__init__.py", "")
        self.folder.write("pack/deep/__init__.py", "from .. import sibling")
        self.folder.write("pack/deep/leaf.py", "import main")
        self.folder.write("pack/sibling.py", "try:\n    import maybe\nexcept ImportError: ...")
        files, sources = self.follow()
        self.assertEqual(
            files,
            {"main.py", "helper.py", "src/feed.py", "src/near.py", "src/later.py"}
            | {f"pack/{name}.py" for name in ("__init__", "deep/__init__", "deep/leaf", "sibling")},
        )
        self.assertEqual(sources.needed, {"shioaji", "other"})
        self.assertEqual(sources.optional, {"maybe", "never_needed"})
        self.assertEqual(sources.elsewhere, {})

    def test_a_package_in_src_of_the_project(self) -> None:
        self.folder.write("main.py", "from trader.app import run")
        self.folder.write("src/trader/__init__.py")
        self.folder.write("src/trader/app.py", "import shioaji")
        files, sources = self.follow()
        self.assertEqual(files, {"main.py", "src/trader/__init__.py", "src/trader/app.py"})
        self.assertEqual(sources.needed, {"shioaji"})
        self.assertEqual(sources.elsewhere, {"trader": self.folder / "src"})

    def test_however_many_there_are(self) -> None:
        for number in range(MAX_FILES + 50):
            self.folder.write(f"m{number}.py", f"import m{number + 1}")
        self.folder.write("main.py", "import m0")
        self.assertEqual(len(self.follow()[0]), MAX_FILES)


class TargetTests(LauncherTestCase):
    """A worker that is not main.py in its own folder."""

    async def command(self, environ: dict[str, str] | None = None, **changes: object) -> Command:
        return await self.launcher(environ, python=sys.executable, **changes).command(None, "")

    async def test_a_folder_to_work_in(self) -> None:
        main = self.folder.write("src/main.py")
        self.folder.write("data/x")
        command = await self.command(main=Path("src/main.py"), cwd=Path("data"))
        self.assertEqual(list(command.argv), [sys.executable, "-u", str(main)])
        self.assertEqual(command.cwd, str(self.folder / "data"))
        beside = self.folder.write("data/main.py")
        self.assertEqual((await self.command(cwd=Path("data"))).argv[-1], str(beside))
        error = self.assertRaises(LaunchError, self.launcher(cwd=Path("gone")).check)
        self.assertIn("--cwd", error.details)

    async def test_a_module(self) -> None:
        self.folder.write("src/trader/__main__.py")
        command = await self.command(module="trader", cwd=Path("src"), arguments=("x",))
        self.assertEqual(list(command.argv), [sys.executable, "-u", "-m", "trader", "x"])
        self.assertEqual(command.cwd, str(self.folder / "src"))
        launcher = self.launcher(module="trader")
        self.assertEqual(launcher.main(), self.folder / "src/trader/__main__.py")
        self.assertEqual((await self.command(module="trader")).cwd, str(self.folder.path))

    async def test_a_command(self) -> None:
        run = self.folder.program("bin/run", "")
        script = self.folder.write("src/app.py")
        environ = {"PATH": str(run.parent)}
        command = await self.command(environ, command=("run", "src/app.py", "--fast"), mark="demo")
        self.assertEqual(list(command.argv), [str(run), "src/app.py", "--fast", "--demo"])
        self.assertEqual(command.cwd, str(self.folder.path))
        launcher = self.launcher(environ, command=("./bin/run", "src/app.py"))
        self.assertEqual(launcher.main(), script)
        launcher.check()
        error = self.assertRaises(LaunchError, self.launcher(environ, command=("walk",)).check)
        self.assertIn("--command", error.details)

    def test_what_is_the_same_worker(self) -> None:
        main = self.folder.write("main.py")
        (self.folder / "link.py").symlink_to(main)
        self.folder.write("other/main.py")
        identities = [
            self.launcher(main=Path("main.py")).identity(),
            self.launcher(main=Path("link.py")).identity(),
            self.launcher(main=Path("other/main.py")).identity(),
            self.launcher(module="main").identity(),
            self.launcher(module="main", cwd=Path("other")).identity(),
            self.launcher(command=("run", "main.py")).identity(),
        ]
        self.assertEqual(identities[0], identities[1])
        self.assertEqual(len(set(identities)), 5)


class ProxyTests(LauncherTestCase):
    def names(self, url: str = "http://localhost:3001", **environ: str) -> dict[str, str]:
        found = self.launcher({"PATH": "", **environ}).environment(None, url)
        return {name: found[name] for name in ("no_proxy", "NO_PROXY") if name in found}

    def test_the_gateway_is_asked_directly(self) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
            found = self.names(**{name: "http://proxy:8080"})
            self.assertEqual(found, dict.fromkeys(found, "localhost,127.0.0.1,::1"))
            self.assertEqual(len(found), 2)

    def test_what_is_listed_stays(self) -> None:
        found = self.names(http_proxy="x", no_proxy=".tw, 127.0.0.1", NO_PROXY="corp")
        self.assertEqual(set(found.values()), {".tw,127.0.0.1,corp,localhost,::1"})
        self.assertEqual(self.names(http_proxy="x", no_proxy="*"), {"no_proxy": "*"})

    def test_without_a_proxy_nothing_is_added(self) -> None:
        self.assertEqual(self.names(), {})
        self.assertEqual(self.names(http_proxy="", NO_PROXY="a"), {"NO_PROXY": "a"})

    def test_a_gateway_of_another_name(self) -> None:
        found = self.names("http://gateway.example:3001/?worker=x", http_proxy="x")
        self.assertIn("gateway.example", found["no_proxy"].split(","))


class CommandTests(LauncherTestCase):
    async def test_the_command(self) -> None:
        main = self.folder.write("sub/main.py")
        launcher = self.launcher(
            main=main, python=sys.executable, arguments=("--a", "b"), mark="demo"
        )
        command = await launcher.command(None, "http://here")
        self.assertEqual(
            list(command.argv), [sys.executable, "-u", str(main), "--demo", "--a", "b"]
        )
        self.assertEqual(command.cwd, str(main.parent))
        self.assertEqual(command.env["GATEWAY_URL"], "http://here")

    def test_keys_replace_every_stale_variable(self) -> None:
        stale = {name: "stale" for group in VARIABLES.values() for name in group}
        environment = self.launcher({**stale, "PATH": ""}).environment(KEYS, "")
        self.assertNotIn("stale", environment.values())
        self.assertEqual(environment["SJ_CA_PASSWD"], "password")

    def test_without_keys_the_environments_count_and_empty_ones_are_left_to_the_dotenv(
        self,
    ) -> None:
        environment = self.launcher(
            {"SJ_SEC": "mine", "API_KEY": "", "SJ_CA_PATH": ""}
        ).environment(None, "")
        self.assertEqual(environment["SECRET_KEY"], "mine")
        self.assertNotIn("API_KEY", environment)
        self.assertNotIn("SJ_CA_PATH", environment)
