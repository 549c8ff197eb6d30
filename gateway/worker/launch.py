"""What is run: which main.py, by which Python, in which environment."""

from __future__ import annotations

import ast
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.protocol import ProcessProtocol

from gateway.worker.credentials import from_environment
from gateway.worker.errors import LaunchError, UnreachableError
from gateway.worker.guard import reason
from gateway.worker.process import Command

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path

    from twisted.python.failure import Failure

    from gateway.worker.credentials import Credentials
    from gateway.worker.settings import Settings

NOT_FOR_CHILDREN = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID")
"""What systemd told the gateway alone."""
PROBE_SECONDS = 10.0
_PROBE = """
import importlib.util, sys
sys.path.remove("")
sys.exit(sum(importlib.util.find_spec(name) is None for name in sys.argv[1:]))
"""


class Launcher:
    """Makes the worker's command.

    `environ` is the gateway's environment, `cwd` its working directory.
    """

    def __init__(
        self, settings: Settings, environ: Mapping[str, str], cwd: Path, reactor: Any
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._cwd = cwd
        self._reactor = reactor
        self._probed: tuple[object, str] | None = None

    def main(self) -> Path:
        """`--main`, else ./main.py, else ../main.py.  Raises LaunchError."""
        if self._settings.main is not None:
            main = self._cwd / self._settings.main
            if not main.is_file():
                raise LaunchError("main.py is missing", f"there is no file {main}; see --main")
            return main
        candidates = [folder / "main.py" for folder in (self._cwd, self._cwd.parent)]
        for main in candidates:
            if main.is_file():
                return main
        looked = " nor ".join(map(str, candidates))
        raise LaunchError("main.py is missing", f"there is neither {looked}; name it with --main")

    def identity(self) -> str:
        """What is run, by its real path.  Raises LaunchError."""
        return os.fspath(self.main().resolve())

    def check(self) -> Path:
        """As `main`, and that a Python named by `--python` can be run, too.

        Raises UnreachableError where it can't even be looked.
        """
        try:
            main = self.main()
            self._given_python()
        except OSError as error:
            raise UnreachableError("main.py can't be looked at", reason(error)) from error
        return main

    @inlineCallbacks
    def command(
        self, credentials: Credentials | None, gateway_url: str
    ) -> Generator[Deferred[Any], Any, Command]:
        """What to run now.  Raises LaunchError."""
        main = self.check()
        python = yield self._python(main)
        arguments = (*(["--demo"] if self._settings.demo else []), *self._settings.arguments)
        return Command(
            argv=[python, "-u", os.fspath(main), *arguments],
            cwd=os.fspath(main.parent),
            env=self.environment(credentials, gateway_url),
        )

    def environment(self, credentials: Credentials | None, gateway_url: str) -> dict[str, str]:
        """The gateway's own environment, and over it the keys and the gateway's URL.

        A variable of the keys that is empty or that other keys replace is left out, so that
        the worker's own .env can fill it.
        """
        variables = self._settings.variables
        keys = {variable for group in variables.values() for variable in group}
        without = keys.union(NOT_FOR_CHILDREN, self._settings.withhold)
        kept = {name: value for name, value in self._environ.items() if name not in without}
        given = credentials.environment(variables) if credentials else {}
        return {
            **kept,
            **from_environment(self._environ, variables),
            **given,
            "GATEWAY_URL": gateway_url,
            "SOCKET_HUB": gateway_url,
            "PYTHONUNBUFFERED": "1",
            "PYTHONIOENCODING": "utf-8",
        }

    def _given_python(self) -> str | None:
        """What `--python` names: a path, or a name to be found in PATH."""
        given = self._settings.python
        if given is None:
            return None
        path = self._environ.get("PATH", os.defpath)
        found = shutil.which(self._cwd / given if os.sep in given else given, path=path)
        if found is None:
            raise LaunchError(
                "Python is missing", f"{given} is not a program that can be run; see --python"
            )
        return os.fspath(found)

    @inlineCallbacks
    def _python(self, main: Path) -> Generator[Deferred[Any], Any, str]:
        """`--python`, else venv or .venv beside main.py, else by what main.py imports."""
        given = self._given_python()
        if given is not None:
            return given
        for folder in ("venv", ".venv"):
            python = main.parent / folder / "bin" / "python"
            if os.access(python, os.X_OK):
                return os.fspath(python)
        path = self._environ.get("PATH", os.defpath)
        status = main.stat()
        key = (main, status.st_mtime_ns, status.st_size, path)
        if (
            self._probed is None
            or self._probed[0] != key
            or not os.access(self._probed[1], os.X_OK)
        ):
            found = yield self._first_that_can_import(main, path)
            self._probed = key, found
        return self._probed[1]

    @inlineCallbacks
    def _first_that_can_import(self, main: Path, path: str) -> Generator[Deferred[Any], Any, str]:
        """The first python3 in `path` that has what main.py imports, else the gateway's own.

        One that lacks only what main.py can do without is better than the gateway's own.
        """
        needed, optional = imports(main)
        second = None
        for python in _pythons(path):
            if (yield _Probe(python, needed, self._environ).run(self._reactor)):
                if (yield _Probe(python, optional, self._environ).run(self._reactor)):
                    return python
                second = second or python
        return second or sys.executable


def imports(main: Path) -> tuple[set[str], set[str]]:
    """The modules that `main` needs, and those it tries to import.

    Only those that are neither standard nor beside it.
    """
    try:
        body = ast.parse(main.read_bytes()).body
        siblings = list(main.parent.iterdir())
    except (SyntaxError, ValueError, OSError, MemoryError, RecursionError):  # or nested too deeply
        return set(), set()  # the worker's own words will say what is wrong
    tried = [
        step for statement in body if isinstance(statement, ast.Try) for step in statement.body
    ]
    known = sys.stdlib_module_names | {"__main__"}
    known |= {beside.stem for beside in siblings if beside.is_dir() or beside.suffix == ".py"}
    return _imported(body) - known, _imported(tried) - known


def _imported(statements: list[ast.stmt]) -> set[str]:
    """The top-level names that `statements` import."""
    names: set[str] = set()
    for statement in statements:
        if isinstance(statement, ast.Import):
            names.update(alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            names.add(statement.module)
    return {name.partition(".")[0] for name in names}


def _pythons(path: str) -> Iterator[str]:
    """Every python3 in `path`."""
    for folder in dict.fromkeys(path.split(os.pathsep)):
        python = shutil.which("python3", path=folder) if folder else None
        if python is not None:
            yield python


class _Probe(ProcessProtocol):
    """Asks one Python whether it has some modules; killed when it doesn't answer."""

    transport: Any

    def __init__(self, python: str, modules: set[str], environ: Mapping[str, str]) -> None:
        self._words = [python, "-c", _PROBE, *sorted(modules)]
        self._environ = dict(environ)
        self._able: Deferred[bool] = Deferred()

    def run(self, reactor: Any) -> Deferred[bool]:
        """Whether all of the modules are there."""
        self._late = reactor.callLater(PROBE_SECONDS, self._kill)
        try:
            reactor.spawnProcess(self, self._words[0], self._words, env=self._environ)
        except OSError as error:
            self._late.cancel()
            if isinstance(error, FileNotFoundError | PermissionError):
                self._able.callback(False)
            else:  # a shortage says nothing about this Python
                self._able.errback()
        return self._able

    def processExited(self, reason: Failure) -> None:
        if self._late.active():
            self._late.cancel()
        self.transport.loseConnection()
        self._able.callback(getattr(reason.value, "exitCode", 1) == 0)

    def _kill(self) -> None:
        self.transport.signalProcess("KILL")
